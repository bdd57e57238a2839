import Testing

/// What the built executables do, against real servers.
///
/// One test after the other: each has a handful of processes, and some have what there is once on a machine.
@Suite("End to end", .serialized) enum EndToEnd {}
