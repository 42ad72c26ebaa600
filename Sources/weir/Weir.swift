import ArgumentParser
import Upstream

@main
struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "A reverse proxy that enforces a rate and a buffer on every stream.",
        version: "weir \(version) (\(LibcurlVersion.name))",
        subcommands: [
            RunCommand.self, CheckCommand.self, DemoCommand.self, LogsCommand.self, TopCommand.self,
            HealthCommand.self, PlanCommand.self, SchemaCommand.self,
        ]
    )

    static let version = "0.1.0"

    static func main() async {
        StandardDescriptors.openMissing()
        await main(nil)
    }
}
