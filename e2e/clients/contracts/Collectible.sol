// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Enumerable.sol";

/// @title OpenZeppelin's enumerable ERC-721, as it is, with an owner who mints.
contract Collectible is ERC721Enumerable, Ownable {
    constructor() ERC721("Collectible", "CLB") Ownable(msg.sender) {}

    /// @notice Mints `id` to `to`. Reverts: OwnableUnauthorizedAccount(caller), ERC721InvalidSender(0) if it exists.
    function mint(address to, uint256 id) external onlyOwner {
        _safeMint(to, id);
    }
}
