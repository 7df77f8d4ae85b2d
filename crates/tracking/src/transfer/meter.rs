use std::sync::{Arc, Mutex, PoisonError};

use super::{TransferOptions, TransferProgress};

/// Adds up how far the files of a transfer are, and tells whoever wants to know.
#[derive(Debug)]
pub(crate) struct Meter {
    options: TransferOptions,
    files: Mutex<Vec<File>>,
}

#[derive(Debug)]
struct File {
    name: String,
    done: u64,
    /// Not known before the first part.
    total: Option<u64>,
}

impl Meter {
    /// A meter for files of these names and sizes, if they are known.
    pub(crate) fn new(
        options: &TransferOptions,
        files: impl IntoIterator<Item = (String, Option<u64>)>,
    ) -> Arc<Self> {
        let file = |(name, total)| File { name, done: 0, total };
        let files = Mutex::new(files.into_iter().map(file).collect());
        Arc::new(Self { options: options.clone(), files })
    }

    /// Hears that `done` of `total` bytes of the file `index` are there.
    pub(crate) fn report(&self, index: usize, done: u64, total: u64) {
        let Some(on_progress) = &self.options.on_progress else { return };
        // A panic in somebody's callback is no reason to stop counting.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = files.get_mut(index) else { return };
        (file.done, file.total) = (done, Some(total));
        let progress = TransferProgress {
            file: file.name.clone(),
            file_bytes_done: done,
            file_bytes_total: total,
            bytes_done: files.iter().map(|it| it.done).sum(),
            bytes_total: files.iter().filter_map(|it| it.total).sum(),
            files_done: files.iter().filter(|it| it.total == Some(it.done)).count(),
            files_total: files.len(),
        };
        drop(files);
        on_progress(&progress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_bytes_add_up() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        let options =
            TransferOptions::new().with_progress(move |it| kept.lock().unwrap().push(it.clone()));
        let files = [("a".to_owned(), Some(10)), ("b".to_owned(), None)];
        let meter = Meter::new(&options, files);
        meter.report(0, 4, 10);
        meter.report(1, 5, 5);
        meter.report(0, 10, 10);
        let seen = seen.lock().unwrap();
        let facts: Vec<_> = seen
            .iter()
            .map(|it| (it.file.as_str(), it.bytes_done, it.bytes_total, it.files_done))
            .collect();
        assert_eq!(facts, [("a", 4, 10, 0), ("b", 9, 15, 1), ("a", 15, 15, 2)]);
    }
}
