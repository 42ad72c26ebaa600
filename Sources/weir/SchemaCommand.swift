import ArgumentParser
import Settings

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Write the JSON schema of proxy.conf, with which editors complete and check it.")

    func run() {
        StandardOutput.write(String(decoding: Configuration.jsonSchema, as: UTF8.self) + "\n")
    }
}
