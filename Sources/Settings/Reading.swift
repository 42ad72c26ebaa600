/// One reading of a file: the values of variables, and the list of errors.
///
/// A class, because every value of the file reports to the same list.
final class Reading {
    let file: String
    let variables: Variables
    private(set) var errors: [ConfigurationError] = []
    private(set) var warnings: [ConfigurationError] = []

    init(file: String, variables: Variables) { (self.file, self.variables) = (file, variables) }

    func report(_ message: String, at position: Position) {
        errors.append(.init(file: file, line: position.line, column: position.column, message: message))
    }

    func warn(_ message: String, at position: Position) {
        warnings.append(.init(file: file, line: position.line, column: position.column, message: message))
    }
}
