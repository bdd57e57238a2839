import CGearman
import Glibc

/// How a handle's connections are protected: not at all, or by TLS where the installed libgearman has it.
enum Transport: Sendable {
    case plain
    case tls(TLSOptions)
}

/// What the installed libgearman can do about TLS.
enum TLSSupport {
    private typealias SetSSL =
        @convention(c) (
            UnsafeMutableRawPointer?, Bool, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?
        ) -> Void

    /// Checks that TLS can be had when it is wanted.
    ///
    /// - Throws: ``GearmanError`` with the code `tlsUnavailable`.
    static func transport(for options: TLSOptions?) throws(GearmanError) -> Transport {
        guard let options else { return .plain }
        guard isAvailable else {
            throw GearmanError(
                .tlsUnavailable,
                "TLS to job servers is configured, and the installed libgearman was built without it;"
                    + " put stunnel in front as docs/tls.md shows, name its local end as the job server,"
                    + " and leave the TLS files out here")
        }
        return .tls(options)
    }

    /// Sets the files on a worker's handle.
    static func protect(_ worker: UnsafeMutablePointer<gearman_worker_st>, with transport: Transport) {
        apply(transport, to: worker, by: "gearman_worker_set_ssl")
    }

    /// Sets the files on a client's handle.
    static func protect(_ client: UnsafeMutablePointer<gearman_client_st>, with transport: Transport) {
        apply(transport, to: client, by: "gearman_client_set_ssl")
    }

    /// The headers declare the functions whether the library has them or not, and a library that has them ignores them
    /// when it was built without a TLS library; a connection in the clear must not pass for a protected one.
    private static var isAvailable: Bool {
        guard dlsym(nil, "gearman_worker_set_ssl") != nil, dlsym(nil, "gearman_client_set_ssl") != nil else {
            return false
        }
        guard let maps = fopen("/proc/self/maps", "re") else { return false }
        defer { fclose(maps) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), maps) != nil {
            if strstr(line, "/libssl.so") != nil || strstr(line, "/libwolfssl.so") != nil { return true }
        }
        return false
    }

    private static func apply(_ transport: Transport, to handle: UnsafeMutableRawPointer, by symbol: String) {
        guard case .tls(let options) = transport, let function = dlsym(nil, symbol) else { return }
        unsafeBitCast(function, to: SetSSL.self)(
            handle, true, options.authorityFile, options.certificateFile, options.keyFile)
    }
}
