import Glibc
public import SystemPackage

/// Where a message log keeps its files when nobody says otherwise.
public enum MessageLogFolders {
    /// `/var/lib/muskrat` for root; for others `$XDG_STATE_HOME/muskrat`, which is `~/.local/state/muskrat` where the
    /// variable is not set (XDG Base Directory Specification).
    public static var standard: FilePath {
        standard(isRoot: geteuid() == 0, state: variable("XDG_STATE_HOME"), home: variable("HOME"))
    }

    package static func standard(isRoot: Bool, state: String?, home: String?) -> FilePath {
        if isRoot { return "/var/lib/muskrat" }
        // The specification has relative paths ignored.
        if let state, state.hasPrefix("/") { return FilePath(state).appending("muskrat") }
        return FilePath(home ?? "/tmp").appending(".local/state/muskrat")
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
