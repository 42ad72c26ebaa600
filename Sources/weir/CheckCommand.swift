import ArgumentParser
import Settings

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration, and report every error in it as file:line:column.")

    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let loaded = try file.read()
        for warning in loaded.warnings { StandardError.write("\(warning)\n") }
        let routes = loaded.configuration.routes.count
        StandardOutput.write("\(file.path) is valid: \(routes) \(routes == 1 ? "route" : "routes")\n")
    }
}
