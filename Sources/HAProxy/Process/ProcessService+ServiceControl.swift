internal import DedicatedThread
internal import Glibc
internal import Subprocess
public import SystemPackage

extension ProcessService: ServiceControl {
    /// The backup, beside the configuration.
    public var backupFile: FilePath { FilePath(configurationFile.string + ".backup") }
    /// Where a new configuration waits, beside the one in use.
    public var stagedFile: FilePath { FilePath(configurationFile.string + ".staged") }

    private var program: HAProxyExecutable { HAProxyExecutable(path: executable, timeout: timeout) }

    /// Asks `haproxy -v`.
    public func version() async throws(HAProxyError) -> Version { try await program.version() }

    /// Asks `haproxy -c -f FILE`.
    public func check(configurationAt file: FilePath) async throws(HAProxyError) { try await program.check(file) }

    /// Writes the file beside the configuration.
    @discardableResult
    public func stage(_ configuration: String) async throws(HAProxyError) -> FilePath {
        let file = stagedFile
        try await thread.run { () throws(HAProxyError) in try Files.write(Array(configuration.utf8), to: file) }
        return file
    }

    /// Renames the staged file; folder and file are on disk when the call returns.
    public func installStaged() async throws(HAProxyError) {
        let (source, destination) = (stagedFile, configurationFile)
        try await thread.run { () throws(HAProxyError) in try Files.move(source, to: destination) }
    }

    /// Removes the staged file, if there is one.
    public func discardStaged() async throws(HAProxyError) {
        let file = stagedFile
        try await thread.run { () throws(HAProxyError) in try Files.remove(file) }
    }

    /// Makes the backup another name of the configuration, which is only ever replaced.
    public func backUp() async throws(HAProxyError) {
        let (source, destination) = (configurationFile, backupFile)
        try await thread.run { () throws(HAProxyError) in try Files.keep(source, as: destination) }
    }

    /// Copies the backup over the configuration by way of a new file and a rename.
    public func restore() async throws(HAProxyError) {
        let (source, destination) = (backupFile, configurationFile)
        try await thread.run { () throws(HAProxyError) in try Files.copy(source, to: destination) }
    }

    /// Removes the configuration and its backup.
    public func removeConfiguration() async throws(HAProxyError) {
        let files = [configurationFile, backupFile]
        try await thread.run { () throws(HAProxyError) in
            for file in files { try Files.remove(file) }
        }
    }

    /// The bytes of the configuration; nil when there is none.
    public func readConfiguration() async throws(HAProxyError) -> [UInt8]? {
        let file = configurationFile
        return try await thread.run { () throws(HAProxyError) in try Files.read(file) }
    }

    /// The bytes of the backup; nil when there is none.
    public func readBackup() async throws(HAProxyError) -> [UInt8]? {
        let file = backupFile
        return try await thread.run { () throws(HAProxyError) in try Files.read(file) }
    }

    /// Whether a master runs that was started for this folder.
    public func isRunning() async throws(HAProxyError) -> Bool { try await findMaster() != nil }

    /// Starts a detached master, and waits until its worker has its sockets.
    public func start() async throws(HAProxyError) {
        guard folder.isAbsolute, masterSocket.string.utf8.count <= Self.longestSocket else {
            throw HAProxyError(
                .invalidValue,
                "the folder \(folder) cannot hold HAProxy's sockets: its path has to be absolute and short, "
                    + "\(masterSocket) having at most \(Self.longestSocket) bytes")
        }
        guard try await findMaster() == nil else { return }
        guard try await readConfiguration() != nil else {
            throw HAProxyError(.startFailed, "HAProxy cannot start: there is no configuration \(configurationFile)")
        }
        // A worker whose master was killed ends by itself, but not at once, and would hold on to its ports until then.
        try await endProcesses(within: timeout)
        let pipe = messagePipe
        let (writer, reader) = try await thread.run { () throws(HAProxyError) in
            let writer = try MessagePipe.make(at: pipe)
            guard let reader = MessagePipe.reader(of: pipe) else {
                close(writer.rawValue)
                throw Files.failure("open the pipe", pipe, errno)
            }
            return (writer, reader)
        }
        defer { close(reader.rawValue) }
        do throws(HAProxyError) {
            // This returns at once, HAProxy being there: a shorter limit could end it in between.
            try await CommandRunner.launch(
                "/usr/bin/setsid", ["--fork", executable.string] + launchArguments, errors: writer,
                within: max(timeout, .seconds(10)))
            try await waitForStart(reader)
        } catch {
            try await endProcesses(within: .seconds(5))
            throw error
        }
    }

    /// Lets the master read its configuration again, and waits for the new worker.
    public func reload() async throws(HAProxyError) {
        guard try await findMaster() != nil else {
            throw HAProxyError(.notRunning, "HAProxy cannot reload: no master of \(folder) runs")
        }
        let pipe = messagePipe
        await thread.run { _ = MessagePipe.drain(pipe) }
        do throws(HAProxyError) {
            try await master.reload(within: timeout)
        } catch let error where error.code == .reloadFailed {
            let words = await thread.run { HAProxyWords.summary(of: MessagePipe.drain(pipe)) }
            throw HAProxyError(error.code, words.isEmpty ? error.message : "\(error.message): \(words)", cause: error)
        }
    }

    /// Ends the master and every worker at once, by SIGTERM and, when the time has passed, SIGKILL.
    public func stop() async throws(HAProxyError) {
        try await endProcesses(within: timeout)
        let files = [processIDFile, masterSocket, messagePipe]
        try await thread.run { () throws(HAProxyError) in
            for file in files { try Files.remove(file) }
        }
    }

    /// Ends every process of this folder, found by its arguments whatever the process id file says.
    private func endProcesses(within limit: Duration) async throws(HAProxyError) {
        let mark = processIDFile.string
        try await thread.run { () throws(HAProxyError) in
            let processes = LiveProcess.all().filter { $0.isHAProxy(of: mark) }
            // A master passes the signal on and waits for its workers; those of a dead one have no such parent.
            for process in processes where !processes.contains(where: { $0.processID == process.parentID }) {
                process.signal(SIGTERM)
            }
            var remaining = waitForEnd(of: processes, within: limit)
            if !remaining.isEmpty {
                for process in remaining { process.signal(SIGKILL) }
                remaining = waitForEnd(of: remaining, within: .seconds(5))
            }
            guard remaining.isEmpty else {
                let list = remaining.map { "\($0.processID)" }.joined(separator: ", ")
                throw HAProxyError(.stopFailed, "HAProxy does not stop: process \(list) survived SIGKILL")
            }
        }
    }

    /// A unix socket's path has at most 107 bytes, of which HAProxy needs some for a temporary name.
    private static let longestSocket = 96

    /// What HAProxy is started with; a process with these among its arguments is this folder's.
    private var launchArguments: [String] {
        ["-W", "-S", "\(masterSocket),mode,600", "-f", configurationFile.string, "-p", processIDFile.string]
    }

    /// The master of this folder; nil when none runs.
    private func findMaster() async throws(HAProxyError) -> LiveProcess? {
        let (mark, socket) = (processIDFile, masterSocket)
        let (entry, hasSocket) = try await thread.run { () throws(HAProxyError) in
            (try Files.read(mark), try Files.exists(socket))
        }
        if let process = LiveProcess.list(in: entry).first(where: { $0.isHAProxy(of: mark.string) }) { return process }
        guard hasSocket else { return nil }
        // A master that reads its configuration again removes the file and writes it anew a moment later; it may also
        // have been lost, or name somebody else.
        let isMissing = entry?.isEmpty ?? true
        do throws(HAProxyError) {
            return try await retrying(within: isMissing ? .seconds(1) : .zero, "") { () throws(HAProxyError) in
                let processID = try await master.processes().master.processID
                return LiveProcess(processID).flatMap { $0.isHAProxy(of: mark.string) ? $0 : nil }
            }
        } catch let error where error.code == .timedOut {
            return nil
        }
    }

    private func waitForStart(_ reader: FileDescriptor) async throws(HAProxyError) {
        let deadline = Deadline(in: timeout)
        var words: [UInt8] = []
        while true {
            let (said, isAlone) = await thread.run {
                let isAlone = MessagePipe.wait(reader, atMost: .milliseconds(5))
                return (MessagePipe.drain(reader), isAlone)
            }
            words = Array((words + said).suffix(1 << 20))
            if isAlone {
                let reason = HAProxyWords.summary(of: words)
                throw HAProxyError(
                    .startFailed, "HAProxy does not start: \(reason.isEmpty ? "it said nothing" : reason)")
            }
            do throws(HAProxyError) {
                if try await !master.processes().workers.isEmpty { return }
            } catch let error where error.isRetriable {}
            guard !deadline.hasPassed else {
                throw HAProxyError(
                    .timedOut, "HAProxy did not start within \(timeout): \(HAProxyWords.summary(of: words))")
            }
        }
    }
}

extension LiveProcess {
    /// Whether it is a HAProxy that this user started with this process id file.
    func isHAProxy(of processIDFile: String) -> Bool {
        isHAProxy && owner == .own && arguments.contains(processIDFile)
    }
}

/// Waits until none of these processes is left.
///
/// - Returns: Those that were left when the time had passed.
private func waitForEnd(of processes: [LiveProcess], within limit: Duration) -> [LiveProcess] {
    let deadline = Deadline(in: limit)
    var pause: UInt32 = 500
    while true {
        let remaining = processes.filter(\.isAlive)
        if remaining.isEmpty || deadline.hasPassed { return remaining }
        usleep(pause)
        pause = min(pause * 2, 20_000)
    }
}
