/// A library that, loaded before all others, has a process see a wall clock that steps by a day, back and forth.
///
/// Clocks that only go on, by which programs measure how long something takes, are left alone.
public struct SteppingClock: Sendable {
    /// What to add to the environment of a process.
    public let environment: [String: String]

    /// Builds the library; it takes the C compiler that Swift comes with.
    ///
    /// - Parameters:
    ///   - folder: Where to.
    ///   - interval: How long the clock stays with a day; each process begins with another one.
    /// - Throws: ``TestServerError`` when it cannot be built.
    public init(in folder: String, interval: Duration) async throws {
        let (source, library) = ("\(folder)/clock.c", "\(folder)/clock.so")
        try writeText(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <time.h>
            #include <unistd.h>

            int clock_gettime(clockid_t clock, struct timespec *time) {
                static int (*real)(clockid_t, struct timespec *);
                if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
                int result = real(clock, time);
                if (result == 0 && clock == CLOCK_REALTIME) {
                    struct timespec up;
                    real(CLOCK_MONOTONIC, &up);
                    long step = (up.tv_sec * 1000 + up.tv_nsec / 1000000) / \(Int(interval / .milliseconds(1)));
                    time->tv_sec += 86400 * ((step + getpid()) % 3 - 1);
                }
                return result;
            }
            """, to: source)
        let (code, output) = try await run(
            "sh",
            [
                "-c", #"exec "$(command -v clang || command -v cc)" "$@""#, "sh", "-shared", "-fPIC", "-o", library,
                source,
                "-ldl",
            ])
        guard code == 0 else { throw TestServerError("cannot build \(source): \(output)") }
        environment = ["LD_PRELOAD": library]
    }
}
