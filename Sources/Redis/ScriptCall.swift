/// A call of a script of ``ClientSettings/scripts``.
package struct ScriptCall {
    let script: Script
    private let keys: Int
    private let arguments: Int
    private let operands: (inout CommandWriter) -> Void

    /// - Parameters:
    ///   - script: The script.
    ///   - keys: The number of its `KEYS`.
    ///   - arguments: The number of its `ARGV`.
    ///   - operands: Writes the keys, and then the arguments; called again if the server does not know the script.
    package init(
        _ script: Script, keys: Int, arguments: Int, operands: @escaping (inout CommandWriter) -> Void
    ) {
        (self.script, self.keys, self.arguments, self.operands) = (script, keys, arguments, operands)
    }

    /// - Parameters:
    ///   - digest: The script's SHA-1 at the server; `nil` to send its text.
    ///   - writer: Gets the command.
    func write(by digest: String?, to writer: inout CommandWriter) {
        writer.begin(words: 3 + keys + arguments)
        writer.write(digest == nil ? "EVAL" : "EVALSHA")
        writer.write(digest ?? script.text)
        writer.write(Int64(keys))
        operands(&writer)
    }
}
