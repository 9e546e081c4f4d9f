//! age headers and the payload STREAM; below the adapters, no I/O of its own.
