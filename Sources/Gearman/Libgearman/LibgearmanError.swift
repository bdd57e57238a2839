import CGearman

extension GearmanError {
    /// Says what a return code of libgearman means for a job server.
    init(_ code: gearman_return_t, server: JobServer) {
        switch code {
        case GEARMAN_COULD_NOT_CONNECT, GEARMAN_GETADDRINFO, GEARMAN_NO_SERVERS:
            self.init(
                .notConnected,
                "job server \(server) refuses connections or cannot be reached; is gearmand running there?")
        case GEARMAN_LOST_CONNECTION, GEARMAN_NOT_CONNECTED, GEARMAN_NO_ACTIVE_FDS, GEARMAN_ERRNO:
            self.init(.connectionLost, "the connection to job server \(server) was lost")
        case GEARMAN_TIMEOUT:
            self.init(.timedOut, "job server \(server) did not answer in time")
        case GEARMAN_SHUTDOWN, GEARMAN_SHUTDOWN_GRACEFUL:
            self.init(.cancelled, "the exchange with job server \(server) was stopped")
        case GEARMAN_WORK_FAIL, GEARMAN_WORK_EXCEPTION, GEARMAN_WORK_ERROR:
            self.init(.jobFailed, "the worker said that the job failed")
        case GEARMAN_JOB_QUEUE_FULL:
            self.init(.serverError, "the queue of job server \(server) is full")
        case GEARMAN_SERVER_ERROR:
            self.init(.serverError, "job server \(server) refused the request")
        case GEARMAN_INVALID_MAGIC, GEARMAN_INVALID_COMMAND, GEARMAN_INVALID_PACKET, GEARMAN_UNEXPECTED_PACKET,
            GEARMAN_ECHO_DATA_CORRUPTION:
            self.init(.protocolViolation, "\(server) does not answer as a Gearman job server does; is the port right?")
        case GEARMAN_INVALID_ARGUMENT, GEARMAN_ARGUMENT_TOO_LARGE, GEARMAN_DATA_TOO_LARGE:
            self.init(.invalidArgument, "libgearman refused an argument (\(text(of: code)))")
        default:
            self.init(.systemError, "libgearman failed with job server \(server) (\(text(of: code)))")
        }
    }
}

private func text(of code: gearman_return_t) -> String {
    gearman_strerror(code).map { String(cString: $0) } ?? "code \(code.rawValue)"
}
