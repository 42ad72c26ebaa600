import Foundation

/// A directory that is removed with this value.
package struct TemporaryDirectory: ~Copyable, Sendable {
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func path(of name: String) -> String { "\(path)/\(name)" }

    package func text(of name: String) throws -> String {
        try String(contentsOfFile: path(of: name), encoding: .utf8)
    }

    package func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(of: name), atomically: false, encoding: .utf8)
    }

    package func rename(_ name: String, to new: String) throws {
        try FileManager.default.moveItem(atPath: path(of: name), toPath: path(of: new))
    }
}
