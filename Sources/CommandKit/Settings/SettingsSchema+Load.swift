import ArgumentParser
import Glibc
public import SystemPackage

extension SettingsSchema {
    /// Reads all layers and checks every value in them, also those that a stronger layer overrides.
    ///
    /// - Parameters:
    ///   - file: The INI file; nil for none.
    ///   - fileMustExist: Whether a file that is not there is an error: it is when the user named it.
    ///   - environment: The process's variables, of which those that begin with `LIBRA_` are looked at.
    ///   - commandLine: What was given as options.
    /// - Returns: The settings.
    /// - Throws: A ``CommandError`` with one line a fault: `.configuration`, or `.usage` when only options are wrong.
    public func load(
        file: FilePath?, fileMustExist: Bool = true,
        environment: [String: String] = processEnvironment(),
        commandLine: CommandLineValues = CommandLineValues()
    ) throws(CommandError) -> Settings {
        let layers = [
            layer(of: commandLine),
            EnvironmentLayer(schema: self, variables: environment).layer,
            fileLayer(file, mustExist: fileMustExist),
            .defaults(declarations),
        ]
        let faults = layers.flatMap(\.faults)
        guard faults.isEmpty else {
            let isUsage = faults.count == layers[0].faults.count
            throw CommandError(isUsage ? .usage : .configuration, messages: faults)
        }
        return Settings(layers: layers)
    }

    private func layer(of commandLine: CommandLineValues) -> SettingsLayer {
        var layer = SettingsLayer("command line")
        let folder = FilePath.currentFolder?.string
        for entry in commandLine.entries {
            layer.set(entry.declaration, to: SettingText(text: entry.text, origin: entry.option, folder: folder))
        }
        return layer
    }

    private func fileLayer(_ file: FilePath?, mustExist: Bool) -> SettingsLayer {
        guard let file else { return SettingsLayer("file") }
        do {
            let content = try readSmallFile(file.string, limit: INIDocument.sizeLimit)
            let document = INIDocument(parsing: content.bytes)
            return FileLayer(
                schema: self, name: file.string, document: document, isOpenToAll: content.isOpenToAll
            ).layer
        } catch {
            var layer = SettingsLayer("file")
            if mustExist || !error.isMissing {
                layer.fault("the configuration file \(quoted(file.string)) \(error.words)")
            }
            return layer
        }
    }
}

extension FilePath {
    /// The process's working folder; nil when it was removed.
    public static var currentFolder: FilePath? {
        guard let name = getcwd(nil, 0) else { return nil }
        defer { free(name) }
        return FilePath(platformString: name)
    }
}
