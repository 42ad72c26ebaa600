import ArgumentParser
import Settings

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether a configuration is right, and every error in it as file:line:column.")

    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let loaded = try file.read()
        for warning in loaded.warnings { StandardError.write("\(warning)\n") }
        let routes = loaded.configuration.routes.count
        StandardOutput.write("\(file.path) is right: \(routes) \(routes == 1 ? "route" : "routes")\n")
    }
}
