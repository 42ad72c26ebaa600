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
        let (configuration, warnings) = try Configuration.read(
            content(), file: name, environment: ProcessInfo.processInfo.environment, isFolder: Self.isFolder)
        try configuration.checkUpstreams(namedIn: name)
        let doubts = try configuration.tls?.checkFiles(namedIn: name, at: Timestamp.now()) ?? []
        return LoadedConfiguration(configuration, warnings: warnings + doubts)
    }

    /// The name of the file in messages.
    var name: String { path == Self.standardInput ? "standard input" : path }

    private static let standardInput = "-"

    private static func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    private func content() throws(ConfigurationFileError) -> String {
        // A copy: closing it leaves standard input open.
        let descriptor = path == Self.standardInput ? fcntl(0, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .init(name, errno == ENOENT && path == Self.usualPath ? Self.missing : Self.reason(errno))
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            throw .init(name, Self.reason(EISDIR))
        }
        let data: Data
        do {
            data = try Self.read(handle)
        } catch {
            throw .init(name, "the file cannot be read: \((error as NSError).localizedFailureReason ?? "an error")")
        }
        guard data.count <= Self.maximumBytes else { throw .init(name, "the file is larger than 1 MiB") }
        guard let text = String(validating: data, as: UTF8.self) else { throw .init(name, "the file is not UTF-8") }
        return text
    }

    /// A pipe returns less than was requested, so that the content may need several reads.
    private static func read(_ handle: FileHandle) throws -> Data {
        var data = Data()
        while data.count <= maximumBytes, let part = try handle.read(upToCount: maximumBytes + 1 - data.count),
            !part.isEmpty
        {
            data += part
        }
        return data
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
