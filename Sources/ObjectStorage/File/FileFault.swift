import SystemPackage

/// What keeps a file store from doing what it was asked for.
enum FileFault: Error {
    /// There is no object of that name.
    case notFound
    /// The condition of a put does not hold.
    case condition
    /// A part of the key is the name of a symbolic link, which could lead out of the store.
    case link(String)
    /// A part of the key that has to be a folder is the name of an object.
    case object(String)
    /// The key is the name of a folder.
    case folder
    /// Something else than a file or folder has the name.
    case notRegular(String)
    /// A file has fewer bytes than it had when it was opened.
    case short
    /// A file cannot have a second name.
    case noHardLinks
    /// The folders of the key are removed as fast as they are made.
    case unsettled
    /// The system refused something.
    case system(Errno)
    /// What was to be done is done, and the system did not make it safe from a loss of power.
    case unsafe(Errno)
}

extension ObjectStoreError {
    /// An error of a file store.
    ///
    /// - Parameters:
    ///   - fault: What happened.
    ///   - attempt: What was to be done, such as `write 'a/b'`.
    ///   - root: The store's folder.
    init(_ fault: FileFault, attempt: String, root: FilePath) {
        let what = "cannot \(attempt) in \(root)"
        switch fault {
        case .notFound: self.init(.notFound, "\(what): there is no such object")
        case .condition: self.init(.preconditionFailed, "\(what): what is there is not as the put's condition has it")
        case .link(let name):
            self.init(
                .denied,
                "\(what): '\(name)' is a symbolic link, and none is followed within a store: mount with "
                    + "'mount --bind' instead")
        case .object(let name):
            self.init(
                .unsupported,
                "\(what): '\(name)' is an object, and a folder cannot have its name as well in a file system")
        case .folder:
            self.init(
                .unsupported, "\(what): a folder has that name, and an object cannot have it as well in a file system")
        case .notRegular(let name): self.init(.denied, "\(what): '\(name)' is neither a file nor a folder")
        case .short: self.init(.corrupt, "\(what): the file was cut off by somebody while it was read")
        case .noHardLinks:
            self.init(.unsupported, "\(what): the file system has no hard links; use ext4 or XFS")
        case .unsettled:
            self.init(.systemError, "\(what): its folders are removed by somebody as fast as they are made")
        case .unsafe(let error):
            self.init(
                .ambiguous,
                "cannot tell whether the attempt to \(attempt) in \(root) is there to stay: its folder cannot be made safe "
                    + "on the disk", cause: error)
        case .system(.improperLink):
            self.init(
                .unsupported,
                "\(what): another file system is mounted there, and files cannot be moved to it in one step")
        case .system(let error): self.init(Self.code(of: error), what, cause: error)
        }
    }

    private static func code(of error: Errno) -> Code {
        switch error {
        case .noSpace, .diskQuotaExceeded: .full
        case .permissionDenied, .notPermitted, .readOnlyFileSystem: .denied
        case .fileNameTooLong: .invalidArgument
        default: .systemError
        }
    }
}
