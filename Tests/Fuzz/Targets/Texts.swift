import Flow
import Foundation
import JSONPointer
import Settings

@testable import Proxy

/// What is taken is a JSON object, and nothing is said of more than the limits.
func checkFeedback(_ input: UnsafeRawBufferPointer) throws {
    guard let body = try? FeedbackBody(Array(input)) else { return }
    let object = try? JSONSerialization.jsonObject(with: Data(input))
    try require((object as? [String: Any])?.isEmpty == false, "taken, and no JSON object")
    try require(body.feedback.bufferSize ?? 1 > 0 && body.feedback.request ?? 1 > 0, "numbers that are none")
}

/// A pointer in the first line, a record after it: a key is found or not, the same each time, in place and in a copy.
func checkKeys(_ input: UnsafeRawBufferPointer) throws {
    let line = input.prefix { $0 != UInt8(ascii: "\n") }
    guard let pointer = JSONPointer(String(decoding: line, as: UTF8.self)) else { return }
    let record = input.from(line.count + 1)
    let key = pointer.key(of: record)
    let copy = Array(record).withUnsafeBytes { pointer.key(of: $0) }
    try require(key == copy, "another key at another address")
}

/// A configuration or errors, each at a place of the text.
func checkConfiguration(_ input: UnsafeRawBufferPointer) throws {
    let text = String(decoding: input, as: UTF8.self)
    let environment = ["HOST": "origin", "EMPTY": "", "LINES": "x\nadmin: off"]
    let lines = text.unicodeScalars.reduce(2) { $0 + (CharacterSet.newlines.contains($1) ? 1 : 0) }
    do throws(ConfigurationErrors) {
        let configuration = try Configuration.parse(text, file: "proxy.conf", environment: environment)
        let again = try Configuration.parse(text, file: "proxy.conf", environment: environment)
        guard configuration == again, !configuration.routes.isEmpty else {
            throw ConfigurationErrors([.init(file: "", line: -1, column: 0, message: "taken, and not the same twice")])
        }
    } catch {
        for error in error.errors {
            try require((1...lines).contains(error.line) && error.column >= 1, "\(error) is outside of \(lines) lines")
            let isPrintable = error.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            try require(isPrintable, "a message that could steer a terminal: \(error.message.debugDescription)")
        }
    }
}
