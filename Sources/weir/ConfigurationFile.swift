import ArgumentParser
import Foundation
import Observability
import Proxy
import Settings

/// The configuration file that a command reads.
struct ConfigurationFile: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration to read.")
    var path = "./proxy.conf"

    /// Larger than any configuration that a person wrote.
    private static let maximumBytes = 1 << 20

    /// Reads and checks the file, and those that it names; errors go to standard error, one a line, and end the command with status 1.
    func read() throws -> Configuration {
        let text = try content()
        do throws(ConfigurationErrors) {
            let configuration = try Configuration.parse(
                text, file: path, environment: ProcessInfo.processInfo.environment)
            for warning in try configuration.tls?.checkFiles(namedIn: path, at: Timestamp.now()) ?? [] {
                StandardError.write("\(path):\(warning.line):\(warning.column): warning: \(warning.message)\n")
            }
            return configuration
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode(1)
        }
    }

    private func content() throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw failure("cannot be opened") }
        defer { try? handle.close() }
        let data: Data
        do {
            data = try handle.read(upToCount: Self.maximumBytes + 1) ?? Data()
        } catch {
            throw failure("cannot be read")
        }
        guard data.count <= Self.maximumBytes else { throw failure("is larger than 1 MiB") }
        guard let text = String(validating: data, as: UTF8.self) else { throw failure("is not UTF-8") }
        return text
    }

    private func failure(_ reason: String) -> ExitCode {
        StandardError.write("\(path):1:1: the file \(reason)\n")
        return ExitCode(1)
    }
}

enum StandardError {
    static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

enum StandardOutput {
    static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
