package import NIOCore

/// A command with its arguments, which the server takes as an array of bulk strings.
package struct Command: Sendable {
    package let words: [String]

    package init(_ words: [String]) { self.words = words }

    package init(_ words: String...) { self.words = words }

    /// Appends the bytes of the command.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeString("*\(words.count)\r\n")
        for word in words {
            buffer.writeString("$\(word.utf8.count)\r\n")
            buffer.writeString(word)
            buffer.writeString("\r\n")
        }
    }
}
