@preconcurrency import Glibc

/// Checks the `LIBRA_…` variables against a schema.
struct EnvironmentLayer {
    private(set) var layer = SettingsLayer("environment")

    init(schema: SettingsSchema, variables: [String: String]) {
        // An empty variable is one that is not set: units and scripts have no other way to take one back.
        var rest = variables.filter { $0.key.hasPrefix("LIBRA_") && !$0.value.isEmpty }
        for declaration in schema.declarations {
            for place in declaration.places {
                let text = rest.removeValue(forKey: place.variable)
                let file = declaration.isSecret ? rest.removeValue(forKey: place.fileKey.variable) : nil
                if text != nil && file != nil {
                    layer.fault("\(place.fileKey.variable): the value and the file that holds it are both given")
                }
                if let text {
                    layer.set(declaration, to: SettingText(text: text, origin: place.variable))
                } else if let file {
                    layer.set(
                        declaration, to: SettingText(text: file, origin: place.fileKey.variable, isFile: true))
                }
            }
        }
        guard !schema.isPartial else { return }
        let known = schema.byPlace.keys.map(\.variable)
        for name in rest.keys.sorted() where !schema.exemptVariables.contains(where: name.hasPrefix) {
            layer.fault("\(visibleText(name)): unknown variable\(didYouMean(name, among: known))")
        }
    }
}

/// The variables of this process; a name that is there twice counts the first time.
///
/// - Returns: Names and values. What is not UTF-8 is repaired.
public func processEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, variables[String(parts[0])] == nil { variables[String(parts[0])] = String(parts[1]) }
        next += 1
    }
    return variables
}
