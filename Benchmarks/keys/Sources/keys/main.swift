import CSimdJSON
import Foundation
import Peers

// What it costs to find the key of a record, in nanoseconds: swift run -c release --package-path Benchmarks/keys

/// A record of about this many bytes whose member `orderId` comes first or last.
func record(_ size: Int, isLast: Bool) -> [CChar] {
    let key = #""orderId":"A-1234567""#
    var members = isLast ? [] : [key]
    var number = 0
    while members.joined(separator: ",").utf8.count < size - 45 {
        members.append("\"field\(number)\":" + (number % 3 == 0 ? "\"some text here\"" : "\(number * 1_234_567)"))
        number += 1
    }
    if isLast { members.append(key) }
    return Array("{\(members.joined(separator: ","))}\n".utf8.map { CChar(bitPattern: $0) })
}

func simdjson(_ text: UnsafeBufferPointer<CChar>) -> Int {
    var value: UnsafePointer<CChar>?
    var length = 0
    return weir_json_at("/orderId", 8, text.baseAddress, text.count, &value, &length) == weir_json_none ? 0 : length
}

func jsmn(_ text: UnsafeBufferPointer<CChar>) -> Int { jsmn_member("orderId", 7, text.baseAddress, text.count) }

func foundation(_ text: UnsafeBufferPointer<CChar>) -> Int {
    let object = try? JSONSerialization.jsonObject(with: Data(buffer: text)) as? [String: Any]
    return (object?["orderId"] as? String)?.utf8.count ?? 0
}

/// The fastest of five rounds, for one record.
func nanoseconds(_ text: [CChar], _ find: (UnsafeBufferPointer<CChar>) -> Int) -> Double {
    text.withUnsafeBufferPointer { text in
        let clock = ContinuousClock()
        var (count, best) = (1, Duration.seconds(1))
        repeat {
            count *= 2
            best = clock.measure { for _ in 0..<count { precondition(find(text) == 9, "the key was not found") } }
        } while best < .milliseconds(50)
        for _ in 0..<4 {
            best = min(best, clock.measure { for _ in 0..<count { precondition(find(text) == 9) } })
        }
        return best / .nanoseconds(count)
    }
}

FileHandle.standardOutput.write(
    Data("| record | the key is | simdjson | jsmn | JSONSerialization |\n|-|-|-:|-:|-:|\n".utf8))
for size in [200, 4096] {
    for isLast in [false, true] {
        let text = record(size, isLast: isLast)
        let all = [simdjson, jsmn, foundation].map { "\(Int(nanoseconds(text, $0).rounded())) ns" }
        let line = "| \(text.count) B | \(isLast ? "last" : "first") | \(all.joined(separator: " | ")) |\n"
        FileHandle.standardOutput.write(Data(line.utf8))
    }
}
