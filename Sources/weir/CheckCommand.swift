import ArgumentParser
import Settings

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration, and report every error in it as file:line:column.")

    @OptionGroup var file: ConfigurationFile

    @Argument(help: "The configuration file, as with -c; - for standard input.")
    var path: String?

    @Flag(name: .customLong("json"), help: "Report the errors and warnings as one JSON object.")
    var isJSON = false

    func run() throws {
        var file = file
        if let path { file.path = path }
        let report = CheckReport(of: file)
        if isJSON {
            StandardOutput.write(report.json + "\n")
        } else {
            for line in report.lines { StandardError.write("\(line)\n") }
            if let summary = report.summary { StandardOutput.write("\(summary)\n") }
        }
        if !report.isValid { throw ExitCode(1) }
    }
}
