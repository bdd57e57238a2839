/// The settings that a program knows, against which the file and the environment are checked.
public struct SettingsSchema: Sendable {
    let declarations: [SettingDeclaration]
    let foreignSections: Set<String>
    let exemptVariables: [String]
    let isPartial: Bool

    /// Which setting a place in the file belongs to, by its position in `declarations`.
    let byPlace: [SettingPlace: Int]
    let sections: [String]

    /// Lists the settings of a program.
    ///
    /// - Parameters:
    ///   - settings: The settings.
    ///   - foreignSections: Sections of the same file that belong to other programs: what stands in them, and in their
    ///     variables, is not looked at.
    ///   - exemptVariables: Beginnings of `LIBRA_…` variables that are no settings, such as `LIBRA_TEST_`.
    ///   - isPartial: Whether other programs have settings in the same sections: then unknown sections, keys and
    ///     variables are not looked at.
    /// - Precondition: No two settings share a place.
    public init(
        _ settings: [any DeclaredSetting], foreignSections: [String] = [], exemptVariables: [String] = [],
        isPartial: Bool = false
    ) {
        let declarations = settings.map(\.erased.declaration)
        var byPlace: [SettingPlace: Int] = [:]
        var sections: [String] = []
        for (index, declaration) in declarations.enumerated() {
            for place in declaration.places {
                precondition(byPlace.updateValue(index, forKey: place) == nil, "two settings stand at \(place)")
                if !sections.contains(place.section) { sections.append(place.section) }
            }
        }
        self.declarations = declarations
        self.byPlace = byPlace
        self.sections = sections
        self.foreignSections = Set(foreignSections)
        self.isPartial = isPartial
        let foreign = Self.sectionsOfPrograms.filter { !sections.contains($0) } + foreignSections
        self.exemptVariables = exemptVariables + foreign.map { String(SettingPlace($0, "").variable) }
    }

    /// The sections of all programs of this package: a variable for one of them is none of the others' business.
    private static let sectionsOfPrograms = [
        "worker", "gearman", "broadcast", "events", "amqp", "muskrat", "hayrack", "zmqpush", "core", "logging",
    ]

    /// The keys that a section takes, those that name a secret's file included.
    func keys(in section: String) -> [String] {
        byPlace.filter { $0.key.section == section }.flatMap { place, index in
            declarations[index].isSecret ? [place.key, place.fileKey.key] : [place.key]
        }
    }

    /// The setting at a place, and whether the place is that of a file with its value.
    func setting(at place: SettingPlace) -> (index: Int, isFile: Bool)? {
        if let index = byPlace[place] { return (index, false) }
        guard place.key.hasSuffix("_file"),
            let index = byPlace[SettingPlace(place.section, String(place.key.dropLast(5)))],
            declarations[index].isSecret
        else { return nil }
        return (index, true)
    }
}
