import ArgumentParser
import Foundation
import Observability
import Proxy
import Settings

/// The configuration file that a command reads.
struct ConfigurationFile: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration file.")
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
        let configuration = try Configuration.parse(
            content(), file: path, environment: ProcessInfo.processInfo.environment)
        try configuration.checkUpstreams(namedIn: path)
        let doubts = try configuration.tls?.checkFiles(namedIn: path, at: Timestamp.now()) ?? []
        return LoadedConfiguration(
            configuration, warnings: doubts.map { "\(path):\($0.line):\($0.column): warning: \($0.message)" })
    }

    private func content() throws(ConfigurationFileError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .init(path, errno == ENOENT && path == Self.usualPath ? Self.missing : Self.reason(errno))
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            throw .init(path, Self.reason(EISDIR))
        }
        let data: Data
        do {
            data = try handle.read(upToCount: Self.maximumBytes + 1) ?? Data()
        } catch {
            throw .init(path, "the file cannot be read: \((error as NSError).localizedFailureReason ?? "an error")")
        }
        guard data.count <= Self.maximumBytes else { throw .init(path, "the file is larger than 1 MiB") }
        guard let text = String(validating: data, as: UTF8.self) else { throw .init(path, "the file is not UTF-8") }
        return text
    }

    private static let missing =
        "the file does not exist; name a configuration with -c, or try `weir demo`, which needs none"

    /// The error of open(2) or read(2), in words for an operator.
    private static func reason(_ errno: CInt) -> String {
        switch errno {
        case ENOENT: "the file does not exist"
        case EACCES, EPERM: "there is no permission to read the file"
        case EISDIR: "this is a directory, not a file"
        default: "the file cannot be opened: \(String(cString: strerror(errno)))"
        }
    }
}

/// The name of a configuration file that cannot be read, with the reason.
struct ConfigurationFileError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}
