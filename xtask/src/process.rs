//! Programs: run them, watch them, read what they print.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context, bail};

/// Runs a program to its end, its output going to the terminal.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Whether a program starts and ends well. Says nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a program and gives back what it wrote to its standard output.
pub(crate) fn capture(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", line(command), output.status, said.trim());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something that is not text", line(command)))
}

/// Runs a program, shows its output as it comes, and gives it back too.
///
/// Both streams are merged line by line. Colors are off, because the text is
/// read again.
pub(crate) fn tee(command: &mut Command) -> anyhow::Result<(ExitStatus, String)> {
    command.env("CARGO_TERM_COLOR", "never").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", line(command)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let seen = Mutex::new(String::new());
    thread::scope(|scope| {
        if let Some(stream) = stdout {
            scope.spawn(|| copy(stream, &seen));
        }
        if let Some(stream) = stderr {
            scope.spawn(|| copy(stream, &seen));
        }
    });
    let status = child.wait().with_context(|| format!("lost sight of {}", line(command)))?;
    Ok((status, seen.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

fn copy(stream: impl Read, seen: &Mutex<String>) {
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        println!("{text}");
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push_str(text);
        seen.push('\n');
        bytes.clear();
    }
}

/// A command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let mut text = program.rsplit('/').next().unwrap_or(&program).to_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_of_a_program_are_seen_with_its_status() {
        let (status, text) =
            tee(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert_eq!(status.code(), Some(3));
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["err", "out"]);
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let err =
            capture(Command::new("/bin/sh").args(["-c", "echo broken >&2; exit 2"])).unwrap_err();
        assert_eq!(
            err.to_string(),
            "sh -c echo broken >&2; exit 2 ended with exit status: 2: broken"
        );
    }
}
