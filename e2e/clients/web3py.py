"""web3.py against a node: everything that an application does with it. Exits with an error at the first difference."""

import asyncio
import json
import os
import pathlib
import sys
import traceback

from eth_account import Account
from eth_account.messages import encode_defunct
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import (
    BlockNotFound,
    ContractCustomError,
    ContractLogicError,
    ContractPanicError,
    TransactionNotFound,
    Web3RPCError,
)
from web3.middleware import SignAndSendRawMiddlewareBuilder

URL = os.environ.get("RPC_URL", "http://127.0.0.1:8123")
WS_URL = os.environ.get("WS_URL", URL.replace("http", "ws", 1))
CHAIN_ID = int(os.environ.get("CHAIN_ID", "1001"))
LIMIT_S = 20
STRANGER = "0x00000000000000000000000000000000000C11E7"

# The phrase of anvil and Hardhat: its accounts have ETH on development chains, and nothing anywhere else.
PHRASE = "test test test test test test test test test test test junk"
Account.enable_unaudited_hdwallet_features()
sender, other = (Account.from_mnemonic(PHRASE, account_path=f"m/44'/60'/0'/0/{i}") for i in (4, 5))

directory = pathlib.Path(__file__).parent
artifact = json.loads((directory / "artifacts/contracts/Probe.sol/Probe.json").read_text())

w3 = Web3(Web3.HTTPProvider(URL))
w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build([sender, other]), layer=0)
w3.eth.default_account = sender.address


def receipt_of(tx_hash):
    return w3.eth.wait_for_transaction_receipt(tx_hash, timeout=LIMIT_S, poll_latency=0.05)


def refused(kind, call):
    """The error of `call`, of a class."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def network():
    assert w3.is_connected(show_traceback=True)
    assert w3.eth.chain_id == CHAIN_ID and w3.net.version == str(CHAIN_ID)
    assert w3.eth.syncing is False and w3.client_version
    assert w3.eth.get_balance(sender.address) > Web3.to_wei(1, "ether")


def fee_data():
    assert w3.eth.gas_price > 0
    assert w3.eth.max_priority_fee <= w3.eth.gas_price
    history = w3.eth.fee_history(1, "latest", [25, 75])
    assert len(history["baseFeePerGas"]) == 2 and len(history["reward"][0]) == 2


def transactions():
    before = w3.eth.get_balance(STRANGER)
    price = w3.eth.gas_price
    fees = {"maxFeePerGas": price * 2, "maxPriorityFeePerGas": price}
    access_list = [{"address": other.address, "storageKeys": [f"0x{0:064x}"]}]
    requests = [
        (2, {}),
        (2, fees),
        (2, {**fees, "type": 2, "accessList": access_list}),
        (0, {"gasPrice": price}),
        (1, {"type": 1, "gasPrice": price, "accessList": []}),
        (1, {"type": 1, "gasPrice": price, "accessList": access_list}),
    ]
    for kind, request in requests:
        tx_hash = w3.eth.send_transaction({"to": STRANGER, "value": 1000, **request})
        receipt = receipt_of(tx_hash)
        listed = bool(request.get("accessList"))
        assert (receipt["status"], receipt["type"], receipt["transactionHash"]) == (1, kind, tx_hash), receipt
        assert receipt["gasUsed"] == 21_000 + 4_300 * listed
        found = w3.eth.get_transaction(tx_hash)
        assert (found["type"], found["value"], found["blockHash"]) == (kind, 1000, receipt["blockHash"])
        assert found["from"] == sender.address and bool(found.get("accessList")) == listed
    # Signed by hand, as a wallet does it.
    signed = sender.sign_transaction(
        {"nonce": w3.eth.get_transaction_count(sender.address), "to": STRANGER, "value": 1000, "gas": 21_000, "gasPrice": price, "chainId": CHAIN_ID}
    )
    assert w3.eth.send_raw_transaction(signed.raw_transaction) == signed.hash
    assert receipt_of(signed.hash)["status"] == 1
    assert w3.eth.get_balance(STRANGER) - before == 1000 * (len(requests) + 1)


def deployment():
    global probe, deployed
    factory = w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    deployed = receipt_of(factory.constructor(7).transact({"value": 5}))
    probe = w3.eth.contract(address=deployed["contractAddress"], abi=artifact["abi"])
    assert w3.eth.get_code(probe.address).to_0x_hex() == artifact["deployedBytecode"]
    assert w3.eth.get_balance(probe.address) == 5


def calls():
    gas = probe.functions.store(8, "eight").estimate_gas()
    receipt = receipt_of(probe.functions.store(8, "eight").transact())
    assert receipt["status"] == 1 and receipt["gasUsed"] <= gas, (receipt["gasUsed"], gas)
    (event,) = probe.events.Stored().process_receipt(receipt)
    assert dict(event["args"]) == {"from": sender.address, "value": 8, "note": "eight"}
    receipt_of(probe.functions.store(9, "nine").transact())
    digest = Web3.solidity_keccak(["uint256"], [9])
    assert tuple(probe.functions.summary().call()) == (probe.address, 9, "probe", bytes(digest))
    assert probe.functions.divide(7, 2).call() == 3
    assert int.from_bytes(w3.eth.get_storage_at(probe.address, 0), "big") == 9


def history():
    number = deployed["blockNumber"]
    assert probe.functions.value().call(block_identifier=number) == 7
    assert w3.eth.get_code(probe.address, number - 1) == b""
    assert w3.eth.get_transaction_count(sender.address, "earliest") == 0


def reverts():
    functions = probe.functions
    assert "unlucky" in refused(ContractLogicError, functions.store(13, "").call).message
    custom = refused(ContractCustomError, functions.store(1001, "").call)
    assert custom.data[10:] == f"{1001:064x}{1000:064x}"
    assert Web3.keccak(text="TooBig(uint256,uint256)")[:4].hex() == custom.data[2:10]
    panic = refused(ContractPanicError, functions.divide(1, 0).call)
    assert "zero" in str(panic) and panic.data.endswith("12"), panic
    assert "unlucky" in refused(ContractLogicError, functions.store(13, "").estimate_gas).message
    assert receipt_of(functions.store(13, "").transact({"gas": 100_000}))["status"] == 0


def errors():
    transfer = {"to": STRANGER, "value": 1, "gas": 21_000, "gasPrice": w3.eth.gas_price, "chainId": CHAIN_ID, "nonce": 0}
    send = lambda account: w3.eth.send_raw_transaction(account.sign_transaction(transfer).raw_transaction)
    assert "nonce too low" in str(refused(Web3RPCError, lambda: send(sender)))
    assert "insufficient funds" in str(refused(Web3RPCError, lambda: send(Account.create()))).lower()
    # web3.py tells both from -32601.
    answer = w3.provider.make_request("eth_noSuchMethod", [])
    assert answer["error"]["code"] == -32601, answer


def logs():
    event, start = probe.events.Stored, deployed["blockNumber"]
    entries = event().get_logs(from_block=start)
    assert [(log["args"]["value"], log["args"]["note"], log["logIndex"]) for log in entries] == [(8, "eight", 0), (9, "nine", 0)]
    (nine,) = event().get_logs(from_block=start, argument_filters={"value": 9})
    assert nine["args"]["note"] == "nine" and nine["address"] == probe.address
    all_logs, news, blocks = event.create_filter(from_block=start), event.create_filter(from_block="latest", argument_filters={"from": sender.address}), w3.eth.filter("latest")
    assert len(all_logs.get_all_entries()) == 2
    receipt = receipt_of(probe.functions.store(10, "ten").transact())
    assert [log["args"]["note"] for log in news.get_new_entries()][-1] == "ten"
    assert receipt["blockHash"] in blocks.get_new_entries()
    assert news.get_new_entries() == [] and w3.eth.uninstall_filter(news.filter_id)


async def subscriptions():
    async with AsyncWeb3(WebSocketProvider(WS_URL)) as ws:
        assert await ws.eth.chain_id == CHAIN_ID
        kinds = {
            await ws.eth.subscribe("newHeads"): "heads",
            await ws.eth.subscribe("newPendingTransactions"): "pending",
            await ws.eth.subscribe("logs", {"address": probe.address}): "logs",
        }
        seen = {kind: [] for kind in kinds.values()}
        receipts = [receipt_of(probe.functions.store(value, "event").transact()) for value in (21, 22, 23)]
        expected = {
            "heads": {r["blockHash"] for r in receipts},
            "pending": {r["transactionHash"] for r in receipts},
            "logs": {21, 22, 23},
        }
        name = {"heads": lambda m: m["hash"], "pending": lambda m: m, "logs": lambda m: int.from_bytes(m["topics"][2], "big")}
        async with asyncio.timeout(LIMIT_S):
            async for message in ws.socket.process_subscriptions():
                kind = kinds[message["subscription"]]
                seen[kind].append(name[kind](message["result"]))
                if all(want <= set(seen[kind]) for kind, want in expected.items()):
                    break
        assert seen["logs"] == [21, 22, 23]
        for subscription in kinds:
            assert await ws.eth.unsubscribe(subscription)


def nonces():
    start = w3.eth.get_transaction_count(other.address, "pending")
    send = lambda nonce: w3.eth.send_transaction({"from": other.address, "to": STRANGER, "value": 1, "gas": 21_000, "nonce": nonce})
    hashes = [send(start + i) for i in range(8)]
    assert w3.eth.get_transaction_count(other.address, "pending") == start + 8
    assert all(receipt_of(tx_hash)["status"] == 1 for tx_hash in hashes)
    assert w3.eth.get_transaction_count(other.address, "latest") == start + 8


def blocks():
    latest, safe, finalized, earliest = (w3.eth.get_block(tag) for tag in ("latest", "safe", "finalized", "earliest"))
    assert finalized["number"] <= safe["number"] <= latest["number"] and earliest["number"] == 0
    full = w3.eth.get_block(latest["hash"], full_transactions=True)
    assert full["transactions"][0]["blockHash"] == latest["hash"]
    assert w3.eth.get_block(latest["number"] - 1)["hash"] == latest["parentHash"]
    assert w3.eth.get_block_transaction_count(latest["hash"]) == len(latest["transactions"])
    assert [r["transactionHash"] for r in w3.eth.get_block_receipts(latest["number"])] == latest["transactions"]
    refused(BlockNotFound, lambda: w3.eth.get_block(latest["number"] + 1_000_000))
    refused(TransactionNotFound, lambda: w3.eth.get_transaction("0x" + "ab" * 32))


def batch():
    with w3.batch_requests() as requests:
        requests.add(w3.eth.get_balance(probe.address))
        requests.add(w3.eth.get_block("latest"))
        requests.add(probe.functions.value())
        balance, block, value = requests.execute()
    assert (balance, value) == (5, 23) and block["number"] > 0


def messages():
    message = encode_defunct(text="Cairn")
    signature = sender.sign_message(message).signature
    assert Account.recover_message(message, signature=signature) == sender.address


STEPS = {
    "network over HTTP": network,
    "fee data": fee_data,
    "transactions of each type": transactions,
    "deployment": deployment,
    "estimates, writes and calls with results": calls,
    "state of earlier blocks": history,
    "reverts: Error, a custom error, Panic": reverts,
    "errors of sending": errors,
    "logs by filter": logs,
    "logs, heads and pending transactions by subscription": lambda: asyncio.run(subscriptions()),
    "nonces: pending, and many at once": nonces,
    "blocks by tag and with transactions": blocks,
    "a batch of requests in one": batch,
    "signed messages": messages,
}

for title, run in STEPS.items():
    try:
        run()
    except Exception:
        traceback.print_exc()
        sys.exit(f"\nFAILED {title}")
    print("ok", title, flush=True)
