/// Checks what stands in a file against a schema.
struct FileLayer {
    private let schema: SettingsSchema
    private let name: String
    private(set) var layer: SettingsLayer

    /// What a key of the file is worth: its place, and after all of a setting's places the global one.
    private var candidates: [Int: [(rank: Int, text: SettingText)]] = [:]
    private var faults: [(line: Int, message: String)] = []

    init(schema: SettingsSchema, name: String, document: INIDocument, isOpenToAll: Bool) {
        self.schema = schema
        self.name = name
        layer = SettingsLayer(name, isOpenToAll: isOpenToAll)
        for fault in document.faults { self.fault(fault.line, fault.message) }
        let ignored = checkSections(document.sections)
        checkEntries(document.entries.filter { !ignored.contains($0.section) })
        for fault in faults { layer.fault("\(name):\(fault.line): \(fault.message)", line: fault.line) }
        for (index, declaration) in schema.declarations.enumerated() {
            for candidate in (candidates[index] ?? []).sorted(by: { $0.rank < $1.rank }) {
                layer.set(declaration, to: candidate.text)
            }
        }
    }

    /// Reports the sections that nobody knows.
    ///
    /// - Returns: The sections whose keys are not looked at: those and the ones of other programs.
    private mutating func checkSections(_ sections: [INIDocument.Section]) -> Set<String> {
        var ignored = schema.foreignSections
        for section in sections where !isGlobal(section.name) && !schema.sections.contains(section.name) {
            guard ignored.insert(section.name).inserted, !schema.isPartial else { continue }
            let known = schema.sections + schema.foreignSections + ["global"]
            fault(
                section.line, "unknown section [\(visibleText(section.name))]\(didYouMean(section.name, among: known))")
        }
        return ignored
    }

    private mutating func checkEntries(_ entries: [INIDocument.Entry]) {
        var seen: [SettingPlace: Int] = [:]
        for entry in entries {
            let place = SettingPlace(isGlobal(entry.section) ? "global" : entry.section, entry.key)
            let targets = targets(of: place)
            if targets.isEmpty && schema.isPartial { continue }
            if let line = seen.updateValue(entry.line, forKey: place) {
                fault(entry.line, "\(shown(entry)): is set twice, first in line \(line)")
                continue
            }
            if targets.isEmpty { fault(entry.line, "\(shown(entry)): unknown key\(hint(place))") }
            for target in targets {
                let text = SettingText(
                    text: entry.value, origin: "\(name):\(entry.line): \(shown(entry))", isFile: target.isFile,
                    line: entry.line)
                let others = candidates[target.index] ?? []
                if others.contains(where: { $0.rank == target.rank && $0.text.isFile != target.isFile }) {
                    fault(entry.line, "\(shown(entry)): the value and the file that holds it are both given")
                }
                candidates[target.index, default: []].append((target.rank, text))
            }
        }
    }

    /// The settings that a key sets, and how much it counts among the places of each.
    private func targets(of place: SettingPlace) -> [(index: Int, rank: Int, isFile: Bool)] {
        guard place.section == "global" else {
            guard let (index, isFile) = schema.setting(at: place) else { return [] }
            let rank = schema.declarations[index].places.firstIndex {
                ($0.key == place.key || isFile && $0.fileKey.key == place.key) && $0.section == place.section
            }
            return [(index, rank ?? 0, isFile)]
        }
        return schema.declarations.enumerated().compactMap { index, declaration in
            guard declaration.inheritsGlobal else { return nil }
            let rank = declaration.places.count
            if declaration.places.contains(where: { $0.key == place.key }) { return (index, rank, false) }
            let isFile = declaration.isSecret && declaration.places.contains { $0.fileKey.key == place.key }
            return isFile ? (index, rank, true) : nil
        }
    }

    /// Where an unknown key probably belongs, or what was probably meant.
    private func hint(_ place: SettingPlace) -> String {
        if let section = schema.sections.first(where: { schema.setting(at: SettingPlace($0, place.key)) != nil }) {
            return "; it belongs in [\(section)]"
        }
        let sections = place.section == "global" ? schema.sections : [place.section]
        return didYouMean(place.key, among: Set(sections.flatMap(schema.keys)))
    }

    private mutating func fault(_ line: Int, _ message: String) { faults.append((line, message)) }

    private func shown(_ entry: INIDocument.Entry) -> String { visibleText("[\(entry.section)] \(entry.key)") }

    private func isGlobal(_ section: String) -> Bool {
        section.lowercased() == "global" || section.lowercased() == "default"
    }
}
