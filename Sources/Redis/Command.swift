/// A command with its arguments, which the server takes as an array of bulk strings.
package struct Command: Sendable {
    package let words: [String]

    package init(_ words: [String]) { self.words = words }

    package init(_ words: String...) { self.words = words }

    func write(to writer: inout CommandWriter) {
        writer.begin(words: words.count)
        for word in words { writer.write(word) }
    }
}
