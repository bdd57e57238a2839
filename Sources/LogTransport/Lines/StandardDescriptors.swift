import Glibc

/// The descriptors 0, 1 and 2, which a program may find closed when it starts.
package enum StandardDescriptors {
    /// Occupies those that are closed, so that no file or socket that is opened later takes their place.
    ///
    /// A closed standard input reads as at its end afterwards. Writes to a closed standard output or standard error fail
    /// with EBADF as before: what is written there is not swallowed. To be called before anything is opened.
    package static func occupy() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // open(2) takes the lowest number that is free, and those below this one are not.
            let opened = open("/dev/null", O_RDONLY)
            if opened > STDERR_FILENO { close(opened) }
        }
    }
}
