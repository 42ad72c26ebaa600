import Flow
import Redis

extension ScriptCall {
    /// The scripts by name: their texts are joined once.
    private static let scripts = Dictionary(uniqueKeysWithValues: StoreScript.allCases.map { ($0, Script($0.lua)) })

    /// The call that a command is.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - prefix: The operator's, of every key.
    ///   - replica: The name of this one.
    init(_ command: StoreCommand, prefix: String, replica: String) {
        guard let script = Self.scripts[command.script] else { preconditionFailure("a command without a script") }
        let (keys, arguments) = command.operandCounts
        self.init(script, keys: keys, arguments: arguments) { writer in
            command.forEachKey { writer.write(prefix, $0) }
            command.forEachArgument(replica: replica) { argument in
                switch argument {
                case .text(let text): writer.write(text)
                case .number(let number): writer.write(number)
                }
            }
        }
    }
}
