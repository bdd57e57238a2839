internal import DedicatedThread
internal import Glibc
internal import HAProxy
internal import Synchronization

/// Reads HAProxy's version, and asks the program itself only when its file is not the one that was asked before.
final class VersionReader: Sendable {
    private let service: any ServiceControl
    private let executable: String
    private let thread = DedicatedThread(name: "version")
    private let last = Mutex<(file: FileIdentity, version: Version)?>(nil)

    init(service: any ServiceControl, executable: String) {
        self.service = service
        self.executable = executable
    }

    func version() async throws(HAProxyError) -> Version {
        let path = executable
        let file = await thread.run { FileIdentity(of: path) }
        if let file, let version = last.withLock({ $0?.file == file ? $0?.version : nil }) { return version }
        let version = try await service.version()
        if let file { last.withLock { $0 = (file, version) } }
        return version
    }
}

/// What changes when a file is replaced or written to.
private struct FileIdentity: Equatable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    init?(of path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        device = UInt(information.st_dev)
        inode = UInt(information.st_ino)
        size = Int(information.st_size)
        seconds = information.st_mtim.tv_sec
        nanoseconds = information.st_mtim.tv_nsec
    }
}
