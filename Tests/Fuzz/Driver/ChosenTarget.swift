import Foundation
import FuzzTargets

/// The one that `WEIR_FUZZ` names: libFuzzer has the command line for itself.
let chosenTarget: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["WEIR_FUZZ"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        fatalError("WEIR_FUZZ is \(name), and no target of \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
}()
