internal import Crypto

/// The name of the file that stands for a key in the folder of locks.
enum LockName {
    /// The key, with `%` and `/` encoded, or its digest where that is longer than a file's name can be.
    static func of(_ key: ObjectKey) -> String {
        var name = ""
        for scalar in key.description.unicodeScalars {
            switch scalar {
            case "%": name += "%25"
            case "/": name += "%2F"
            default: name.unicodeScalars.append(scalar)
            }
        }
        // A leading "%%" is in no encoded key.
        if name.utf8.count > 255 {
            let digest = SHA256.hash(data: Array(key.description.utf8))
            name = "%%" + digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return name
    }
}
