import Foundation
import FuzzTargets
import Testing

/// Tries what the fuzzer has found to be different from everything else, and whatever once broke something.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpus")

    @Test(arguments: FuzzTarget.allCases) func whatWasFoundBeforeHolds(_ target: FuzzTarget) throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: target.rawValue), includingPropertiesForKeys: nil)
        try #require(files.count > 3, "a corpus")
        for file in files {
            let input = try Data(contentsOf: file)
            do { try input.withUnsafeBytes { try target.run($0) } } catch {
                Issue.record("\(target.rawValue)/\(file.lastPathComponent): \(error)")
            }
        }
    }

    /// Every short input of a few bytes that mean something somewhere.
    @Test(arguments: FuzzTarget.allCases) func shortInputsHold(_ target: FuzzTarget) throws {
        let bytes: [UInt8] = [0x00, 0x0A, 0x0D, 0x1E, 0x20, 0x22, 0x3A, 0x7B, 0x80, 0xFF]
        var inputs: [[UInt8]] = [[]]
        for _ in 0..<3 { inputs += inputs.flatMap { input in bytes.map { input + [$0] } } }
        for input in Set(inputs) { try input.withUnsafeBytes { try target.run($0) } }
    }
}
