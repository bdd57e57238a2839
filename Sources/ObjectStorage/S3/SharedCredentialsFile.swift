import FoundationEssentials

/// The file that Amazon's tools keep credentials in (AWS SDKs and Tools Reference Guide, "Shared config and credentials
/// files"): sections named after profiles, with `aws_access_key_id`, `aws_secret_access_key`, `aws_session_token`.
struct SharedCredentialsFile {
    private let path: String
    private let profiles: [String: [String: String]]

    /// Reads a file; this blocks.
    ///
    /// - Throws: ``ObjectStoreError`` with the code `denied` when it cannot be read.
    init(path: String) throws(ObjectStoreError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ObjectStoreError(
                .denied,
                "there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or make the "
                    + "file '\(path.visible)' (it cannot be read)")
        }
        self.init(String(decoding: data, as: UTF8.self), path: path)
    }

    init(_ text: String, path: String) {
        self.path = path
        var profiles: [String: [String: String]] = [:]
        var section: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let line = Self.trimmed(line)
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                let name = String(Self.trimmed(line[line.index(after: line.startIndex)..<end]))
                profiles[name, default: [:]] = profiles[name] ?? [:]
                section = name
            } else if let section, let equals = line.firstIndex(of: "=") {
                let name = Self.trimmed(line[..<equals]).lowercased()
                profiles[section]?[name] = String(Self.trimmed(line[line.index(after: equals)...]))
            }
        }
        self.profiles = profiles
    }

    /// The credentials of a profile.
    ///
    /// - Throws: ``ObjectStoreError`` with the code `denied`; it names the file and the profile.
    func credentials(of profile: String) throws(ObjectStoreError) -> S3Credentials {
        guard let values = profiles[profile] else {
            throw ObjectStoreError(.denied, "'\(path.visible)' has no profile [\(profile.visible)]")
        }
        func value(_ name: String) throws(ObjectStoreError) -> String {
            guard let value = values[name], !value.isEmpty else {
                throw ObjectStoreError(.denied, "profile [\(profile.visible)] of '\(path.visible)' has no \(name)")
            }
            return value
        }
        return S3Credentials(
            accessKeyID: try value("aws_access_key_id"), secretAccessKey: try value("aws_secret_access_key"),
            sessionToken: values["aws_session_token"].flatMap { $0.isEmpty ? nil : $0 })
    }

    private static func trimmed(_ text: Substring) -> Substring {
        guard let start = text.firstIndex(where: { !$0.isWhitespace }),
            let end = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return text[start...end]
    }
}
