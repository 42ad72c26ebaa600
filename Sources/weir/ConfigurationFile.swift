import ArgumentParser
import Foundation
import Observability
import Proxy
import Settings

/// The configuration file that a command reads.
struct ConfigurationFile: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration file, or - for standard input.")
    var path = Self.usualPath

    private static let usualPath = "./proxy.conf"
    /// Above any configuration written by hand.
    private static let maximumBytes = 1 << 20

    /// Reads and checks the file, and the files it names; errors end the command with status 1.
    ///
    /// They are written to standard error, one per line.
    func read() throws -> LoadedConfiguration {
        do {
            return try load()
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode(1)
        }
    }

    /// Reads and checks the file, and the files it names.
    ///
    /// - Throws: `ConfigurationErrors`, or a `ConfigurationFileError` if the file cannot be read.
    func load() throws -> LoadedConfiguration {
        let read = try Configuration.read(
            content(), file: name, environment: ProcessInfo.processInfo.environment, isFolder: Self.isFolder)
        var (configuration, warnings) = (read.configuration, read.warnings)
        try configuration.checkUpstreams(namedIn: name)
        warnings += try configuration.readTierFiles(namedIn: name) { path throws(UnreadableFile) in
            try TextFile.read(path, atMost: TierTable.maximumBytes, waitsForPipe: false)
        }
        let doubts = try configuration.tls?.checkFiles(namedIn: name, at: Timestamp.now()) ?? []
        return LoadedConfiguration(configuration, warnings: warnings + doubts, positions: read.positions)
    }

    /// The name of the file in messages.
    var name: String { path == Self.standardInput ? "standard input" : path }

    private static let standardInput = "-"

    private static func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    private func content() throws(ConfigurationFileError) -> String {
        let isUsual = path == Self.usualPath
        do throws(UnreadableFile) {
            return try path == Self.standardInput
                ? TextFile.standardInput(atMost: Self.maximumBytes)
                : TextFile.read(path, atMost: Self.maximumBytes)
        } catch {
            throw .init(name, isUsual && error == TextFile.missing ? Self.missing : error.reason)
        }
    }

    private static let missing =
        "the file does not exist; name a configuration with -c, or try `weir demo`, which needs none"
}

/// The name of a configuration file that cannot be read, with the reason.
struct ConfigurationFileError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}
