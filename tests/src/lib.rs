//! Cross-crate tests live in `tests/it`; the programs under test in `src/bin`.
