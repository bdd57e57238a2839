internal import CommandKit
internal import MessageLog

/// Says that there is nothing to do, where a key may be misspelt, or the broker another one than was meant.
func tellOfMissingKeys(_ pattern: RoutingPattern, at broker: any Broker) {
    let what = pattern.key.map { "no key \($0)" } ?? "no key that matches \(pattern)"
    Terminal.error.write("muskrat: there is \(what) at \(visibleText("\(broker)"))\n")
}
