import Glibc

/// The descriptors 0, 1 and 2, which a program may find closed when it starts.
package enum StandardDescriptors {
    /// Occupies those that are closed, so that no file or socket that is opened later takes their place.
    ///
    /// A closed standard input reads as at its end afterwards. Writes to a closed standard output or standard error fail
    /// with EBADF as before: what is written there is not swallowed. To be called first thing in `main`: the threads that
    /// Swift starts for the first task open descriptors of their own.
    package static func occupy() {
        for descriptor in STDIN_FILENO...STDERR_FILENO { occupy(descriptor) }
    }

    /// Opens `/dev/null` for reading at a number that is not in use.
    static func occupy(_ descriptor: Int32) {
        guard fcntl(descriptor, F_GETFD) == -1, errno == EBADF else { return }
        let opened = open("/dev/null", O_RDONLY)
        guard opened >= 0, opened != descriptor else { return }
        dup2(opened, descriptor)
        close(opened)
    }

    /// Whether a descriptor was opened for writing; one that ``occupy()`` found closed was not.
    package static func isWritable(_ descriptor: Int32) -> Bool {
        let flags = fcntl(descriptor, F_GETFL)
        return flags != -1 && flags & O_ACCMODE != O_RDONLY
    }
}
