extension RuntimeCommand {
    /// `disable frontend`: it stops listening, so connections are refused; those that are open go on.
    public static func disableFrontend(_ frontend: ProxyName) -> RuntimeCommand {
        RuntimeCommand("disable frontend \(frontend.text)", success: .message(["All sockets are already disabled."]))
    }

    /// `enable frontend`: it listens again.
    public static func enableFrontend(_ frontend: ProxyName) -> RuntimeCommand {
        RuntimeCommand("enable frontend \(frontend.text)", success: .message(["All sockets are already enabled."]))
    }

    /// `set maxconn frontend`: how many connections it takes at a time.
    public static func setMaxconnFrontend(_ frontend: ProxyName, _ limit: Count) -> RuntimeCommand {
        RuntimeCommand("set maxconn frontend \(frontend.text) \(limit.value)", success: .silence)
    }

    /// `set maxconn global`: how many connections the process takes.
    public static func setMaxconnGlobal(_ limit: Count) -> RuntimeCommand {
        RuntimeCommand("set maxconn global \(limit.value)", success: .silence)
    }

    /// `enable dynamic-cookie backend`: every server of the backend gets its cookie.
    ///
    /// HAProxy 2.6 gives none to a server that is added, and takes its clients for strangers. Since every two servers are
    /// compared, this takes 0.5 s for 10,000; a change of its port by ``setServerAddress(_:_:_:port:)`` gives a server its
    /// cookie in less than 1 ms.
    public static func enableDynamicCookie(_ backend: ProxyName) -> RuntimeCommand {
        RuntimeCommand("enable dynamic-cookie backend \(backend.text)", success: .silence)
    }
}
