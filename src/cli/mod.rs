//! One file a command, each thin: arguments in, library calls, a report out.
