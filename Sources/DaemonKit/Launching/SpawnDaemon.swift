@preconcurrency import Glibc
import SystemPackage

/// Starts this program anew, in a session of its own.
func spawnDaemon(arguments: [String], handshake: HandshakePipes) throws(DaemonError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, handshake.words.writeEnd, STDERR_FILENO)
    posix_spawn_file_actions_adddup2(&actions, handshake.ready.writeEnd, DaemonLaunch.descriptor)
    try closeDescriptors(from: DaemonLaunch.descriptor + 1, &actions)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    // POSIX_SPAWN_SETSID, which is not in the overlay.
    let newSession: Int32 = 0x80
    posix_spawnattr_setflags(&attributes, Int16(newSession | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let variable = strdup("\(DaemonLaunch.variable)=\(getpid())")
    var environment: [UnsafeMutablePointer<CChar>?] = []
    var next = environ
    while let entry = next.pointee {
        environment.append(entry)
        next += 1
    }
    environment += [variable, nil]
    let words = arguments.map { strdup($0) }
    defer {
        free(variable)
        for word in words { free(word) }
    }
    var pid: pid_t = 0
    // The kernel's own link: the program may have been replaced since it was started.
    let status = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, words + [nil], environment)
    guard status == 0 else { throw DaemonError(.spawn, "cannot start the daemon", cause: Errno(rawValue: status)) }
    return pid
}

/// Has the child close all descriptors from one on, also those that another thread opens meanwhile.
///
/// The overlay does not declare the function; glibc has it from 2.34 on.
private func closeDescriptors(
    from first: Int32, _ actions: inout posix_spawn_file_actions_t
) throws(DaemonError) {
    typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
        throw DaemonError(.spawn, "cannot start the daemon: this needs glibc 2.34 or later")
    }
    let status = unsafeBitCast(symbol, to: AddCloseFrom.self)(&actions, first)
    guard status == 0 else { throw DaemonError(.spawn, "cannot start the daemon", cause: Errno(rawValue: status)) }
}
