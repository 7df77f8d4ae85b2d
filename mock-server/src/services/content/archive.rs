//! Writes zip archives. Files are stored as they are: they are small and read once.

use std::io::{self, Write};

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// What the format asks of readers, and that names are in UTF-8.
const VERSION: u16 = 20;
const UTF8: u16 = 1 << 11;
/// The first day that the format can name, so that equal files make equal archives.
const DAY: u16 = (1 << 5) | 1;

/// An archive in the making.
pub(super) struct Archive<W> {
    out: W,
    written: u32,
    /// The directory, which stands at the end.
    directory: Vec<u8>,
    count: u16,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, written: 0, directory: Vec::new(), count: 0 }
    }

    /// Adds a file.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written, or is larger than this format takes.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "too large for a zip");
        let name_len = u16::try_from(name.len()).map_err(too_large)?;
        let len = u32::try_from(bytes.len()).map_err(too_large)?;
        // Version, flags, method, time, day, checksum, both sizes, length of the name.
        let mut common = Vec::new();
        for it in [VERSION, UTF8, 0, 0, DAY] {
            common.extend(it.to_le_bytes());
        }
        for it in [crc32(bytes), len, len] {
            common.extend(it.to_le_bytes());
        }
        common.extend(name_len.to_le_bytes());

        let start = self.written;
        let mut header = LOCAL.to_le_bytes().to_vec();
        header.extend(&common);
        header.extend(0_u16.to_le_bytes());
        header.extend(name.as_bytes());
        self.out.write_all(&header)?;
        self.out.write_all(bytes)?;
        let header_len = u32::try_from(header.len()).map_err(too_large)?;
        let end = start.checked_add(header_len).and_then(|it| it.checked_add(len));
        self.written = end.ok_or_else(|| io::Error::other("too large for a zip"))?;

        self.directory.extend(CENTRAL.to_le_bytes());
        self.directory.extend(VERSION.to_le_bytes());
        self.directory.extend(&common);
        // No extra field, no comment, first disk, no attributes.
        self.directory.extend([0; 12]);
        self.directory.extend(start.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count = self.count.checked_add(1).ok_or_else(|| io::Error::other("too many files"))?;
        Ok(())
    }

    /// Writes the directory.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let len = u32::try_from(self.directory.len()).map_err(io::Error::other)?;
        let mut end = END.to_le_bytes().to_vec();
        end.extend([0; 4]);
        end.extend(self.count.to_le_bytes());
        end.extend(self.count.to_le_bytes());
        end.extend(len.to_le_bytes());
        end.extend(self.written.to_le_bytes());
        end.extend([0; 2]);
        self.out.write_all(&self.directory)?;
        self.out.write_all(&end)?;
        self.out.flush()
    }
}

/// The checksum of the format: CRC-32 as in ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, it: &u8| TABLE[usize::from(crc.to_le_bytes()[0] ^ it)] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let (mut at, mut start) = (0, 0);
    while at < table.len() {
        let mut crc: u32 = start;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
        start += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn the_directory_is_where_the_end_says() {
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        archive.add("a.txt", b"one").unwrap();
        archive.add("d/b.txt", b"two").unwrap();
        archive.finish().unwrap();
        let end = &bytes[bytes.len() - 22..];
        let number = |at: usize| {
            usize::try_from(u32::from_le_bytes(end[at..at + 4].try_into().unwrap())).unwrap()
        };
        assert_eq!((&end[..4], end[10]), (&END.to_le_bytes()[..], 2));
        let (len, start) = (number(12), number(16));
        assert_eq!(start + len + 22, bytes.len());
        assert_eq!(bytes[start..start + 4], CENTRAL.to_le_bytes());
        assert_eq!(&bytes[30..38], b"a.txtone");
    }
}
