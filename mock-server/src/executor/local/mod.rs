//! Runs tasks on this machine, as child processes.
