//! A large file whose pieces tell where they belong, and what a process needed.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

pub(crate) const MIB: usize = 1 << 20;

/// The most memory that a process ever had, in MiB.
pub(crate) fn peak_mib(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() / 1024
}

/// A piece of the file. No two pieces are alike.
fn piece(number: usize) -> Vec<u8> {
    let mut piece = vec![number.to_le_bytes()[0]; MIB];
    piece[..8].copy_from_slice(&(number as u64).to_le_bytes());
    piece
}

/// Writes a file of so many mebibytes.
pub(crate) fn write(path: &Path, size_mib: usize) -> io::Result<()> {
    let mut file = File::create(path)?;
    (0..size_mib).try_for_each(|number| file.write_all(&piece(number)))
}

/// Checks that a file has exactly the pieces of [`write`].
pub(crate) fn check(path: &Path, size_mib: usize) {
    let (mut file, mut read) = (File::open(path).unwrap(), vec![0; MIB]);
    for number in 0..size_mib {
        file.read_exact(&mut read).unwrap();
        assert!(read == piece(number), "MiB {number} differs");
    }
    assert_eq!(file.read(&mut read).unwrap(), 0, "the copy is too long");
}
