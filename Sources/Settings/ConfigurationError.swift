/// One error in `proxy.conf`, and its position.
package struct ConfigurationError: Error, Equatable, Sendable {
    package let file: String
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in Unicode scalars.
    package let column: Int
    /// The fault, and the allowed values.
    package let message: String

    package init(file: String, line: Int, column: Int, message: String) {
        (self.file, self.line, self.column, self.message) = (file, line, column, message)
    }
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String { "\(file):\(line):\(column): \(message)" }
}

/// All errors in `proxy.conf`, in the order of the file; never empty.
package struct ConfigurationErrors: Error, Equatable, Sendable {
    package let errors: [ConfigurationError]

    package init(_ errors: [ConfigurationError]) {
        precondition(!errors.isEmpty, "a rejected configuration has an error")
        self.errors = errors.sorted { ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message) }
    }
}

extension ConfigurationErrors: CustomStringConvertible {
    /// One error per line.
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
