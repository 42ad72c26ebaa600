import Logging
import Settings

/// A checked configuration and its warnings, one line each: `file:line:column: warning: …`.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let warnings: [String]

    init(_ configuration: Configuration, warnings: [String] = []) {
        self.configuration = configuration
        self.warnings = warnings
    }

    func logWarnings(to log: Logger) {
        for warning in warnings { log.warning("\(warning)") }
    }
}
