package import Flow

// The operands of a command as the scripts get them.

extension StoreCommand {
    package func keys(prefix: String) -> [String] {
        var keys: [String] = []
        forEachKey { keys.append(prefix + $0) }
        return keys
    }

    package func arguments(replica: String) -> [String] {
        var arguments: [String] = []
        forEachArgument(replica: replica) { argument in
            switch argument {
            case .text(let text): arguments.append(text)
            case .number(let number): arguments.append("\(number)")
            }
        }
        return arguments
    }
}
