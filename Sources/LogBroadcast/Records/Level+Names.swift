public import Logging

extension Logger.Level {
    /// The level's name in a record: `TRACE`, `DEBUG`, `INFO`, `NOTICE`, `WARNING`, `ERROR`, `CRITICAL`.
    public var recordName: String { rawValue.uppercased() }

    /// Reads the name of a level, in any case, also Python's other names and its numbers (docs.python.org, "logging").
    ///
    /// A number counts as the most severe level that is not above it: 35 is a warning.
    public init?(recordName name: String) {
        if let number = Int(name) {
            self.init(pythonLevel: number)
            return
        }
        switch name.uppercased() {
        case "TRACE", "NOTSET": self = .trace
        case "DEBUG": self = .debug
        case "INFO": self = .info
        case "NOTICE": self = .notice
        case "WARNING", "WARN": self = .warning
        case "ERROR", "ERR", "EXCEPTION": self = .error
        case "CRITICAL", "FATAL", "CRIT", "ALERT", "EMERG": self = .critical
        default: return nil
        }
    }

    private init(pythonLevel number: Int) {
        switch number {
        case ..<10: self = .trace
        case ..<20: self = .debug
        case ..<30: self = .info
        case ..<40: self = .warning
        case ..<50: self = .error
        default: self = .critical
        }
    }
}
