import ArgumentParser
import Foundation
import Logging
import Observability
import Proxy
import Settings

/// A checked configuration, and what is only doubtful about it: one line each, as `file:line:column: warning: …`.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let warnings: [String]

    init(_ configuration: Configuration, warnings: [String] = []) {
        self.configuration = configuration
        self.warnings = warnings
    }

    func logWarnings(to log: Logger) {
        for warning in warnings { log.warning("\(warning)") }
    }
}

/// The configuration file that a command reads.
struct ConfigurationFile: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration to read.")
    var path = Self.usualPath

    private static let usualPath = "./proxy.conf"
    /// Larger than any configuration that a person wrote.
    private static let maximumBytes = 1 << 20

    /// Reads and checks the file, and those that it names; errors end the command with status 1.
    ///
    /// They go to standard error, one a line.
    func read() throws -> LoadedConfiguration {
        do {
            return try load()
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode(1)
        }
    }

    /// Reads and checks the file, and those that it names.
    ///
    /// - Throws: `ConfigurationErrors`, or a `ConfigurationFileError` where there is nothing to check.
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

    /// What open(2) or read(2) returned, in the words of an operator.
    private static func reason(_ errno: CInt) -> String {
        switch errno {
        case ENOENT: "the file does not exist"
        case EACCES, EPERM: "there is no permission to read the file"
        case EISDIR: "this is a directory, not a file"
        default: "the file cannot be opened: \(String(cString: strerror(errno)))"
        }
    }
}

/// A configuration file without a text to check: which, and why.
struct ConfigurationFileError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}

enum StandardError {
    /// Where nobody can be told any more, nobody is.
    static func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}

enum StandardOutput {
    /// Ends the process where the text cannot be written, as other tools do: half a report is none.
    static func write(_ text: String) {
        do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
            StandardError.write(
                "weir: standard output: \((error as NSError).localizedFailureReason ?? "cannot be written")\n")
            exit(1)
        }
    }
}
