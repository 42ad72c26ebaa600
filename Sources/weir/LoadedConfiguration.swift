import Logging
import Settings

/// A checked configuration and its warnings.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let warnings: [ConfigurationError]
    let positions: KeyPositions

    init(
        _ configuration: Configuration, warnings: [ConfigurationError] = [], positions: KeyPositions = KeyPositions()
    ) {
        self.configuration = configuration
        self.warnings = warnings
        self.positions = positions
    }

    /// One line each: `file:line:column: warning: …`.
    var warningLines: [String] {
        warnings.map { "\($0.file):\($0.line):\($0.column): warning: \($0.message)" }
    }

    func logWarnings(to log: Logger) {
        for warning in warningLines { log.warning("\(warning)") }
    }
}
