/// Where the keys at the top level of a file are written, for errors that are found after the file was read.
package struct KeyPositions: Sendable {
    /// Of the file, as errors begin with it.
    private let file: String
    private let positions: [String: Position]

    init(of setting: Setting) {
        file = setting.reading.file
        let names = Schema.configuration.map(\.name)
        positions = Dictionary(
            uniqueKeysWithValues: names.compactMap { name in setting[name].map { (name, $0.position) } })
    }

    /// Positions of no file.
    package init() { (file, positions) = ("", [:]) }

    /// An error at the value of a key; without a position if the file omits the key.
    package func error(at key: String, _ message: String) -> String {
        guard let position = positions[key] else { return message }
        return "\(file):\(position.line):\(position.column): \(message)"
    }
}
