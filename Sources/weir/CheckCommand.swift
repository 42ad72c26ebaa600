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

    @Flag(name: .customLong("print"), help: "Print the effective configuration, with all defaults and without secrets.")
    var isPrinting = false

    func validate() throws {
        guard !isJSON || !isPrinting else { throw ValidationError("--json and --print exclude each other") }
    }

    func run() throws {
        var file = file
        if let path { file.path = path }
        let report = CheckReport(of: file)
        if isJSON {
            StandardOutput.write(report.json + "\n")
        } else {
            for line in report.lines { StandardError.write("\(line)\n") }
            if isPrinting {
                if let text = report.effectiveText { StandardOutput.write(text) }
            } else if let summary = report.summary {
                StandardOutput.write("\(summary)\n")
            }
        }
        if !report.isValid { throw ExitCode(1) }
    }
}
