// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

// Written by tests/poseidon.rs, which says how. Not to be edited.

/// @title Poseidon of 4 elements over BN254's scalar field, circom's parameters
/// @dev Width 5, 8 full and 60 partial rounds. In a partial round only the first element u passes the S-box, the rest
/// is linear: so u obeys a linear recurrence over the last 5 values of u and of s = u⁵, with the same coefficients in
/// every round (Cayley and Hamilton), and one constant a round. 5 rounds without S-box before and after lead from the
/// state to 5 values of u and back. The result is exactly the hash in its usual form.
library PoseidonT5 {
    /// @notice Memory for any number of hashes, one after the other, with the constants in it.
    function workspace() internal pure returns (uint256 m) {
        // forgefmt: disable-start
        assembly ("memory-safe") {
            m := mload(0x40)
            mstore(0x40, add(m, 0x1fe0))
            // Constants of the full rounds.
            mstore(add(m, 0xa0), 0x0eb544fee2815dda7f53e29ccac98ed7d889bb4ebd47c3864f3c2bd81a6da891)
            mstore(add(m, 0xc0), 0x0554d736315b8662f02fdba7dd737fbca197aeb12ea64713ba733f28475128cb)
            mstore(add(m, 0xe0), 0x2f83b9df259b2b68bcd748056307c37754907df0c0fb0035f5087c58d5e8c2d4)
            mstore(add(m, 0x100), 0x2ca70e2e8d7f39a12447ac83052451b461f15f8b41a75ef31915208f5aba9683)
            mstore(add(m, 0x120), 0x1cb5f9319be6a45e91b04d7222271c94994196f12ed22c5d4ec719cb83ecfea9)
            mstore(add(m, 0x140), 0x2eb4f99c69f966ebf8a42192de7ff61621c7bb47b93750c2b9ea08d18446c122)
            mstore(add(m, 0x160), 0x224a28e5a35385a7c5198169e405d9ea0fc7da8b93ee13b6d5f7d099e299520e)
            mstore(add(m, 0x180), 0x0f7411b465e600eed8afdd6afca49c3036f33ecbd9a0f97823796b993bbd82f7)
            mstore(add(m, 0x1a0), 0x0f9d0d5aad2c9555a2be7150392d8d9819b208ae3370f99a0626f9ff5d90e4e3)
            mstore(add(m, 0x1c0), 0x1e9a96dc8292bb596f52a59538d329229732b25259cf744b6a12d30702d6fba0)
            mstore(add(m, 0x1e0), 0x08780514ccd90380887d578c45555e593cfe52eab4b945c6c2cd4d528fb3fe3c)
            mstore(add(m, 0x200), 0x272498fced686c7ac8149fa3f73ef8c2ced64717e3556d5a59f119d629ccb5fc)
            mstore(add(m, 0x220), 0x01ef8f9dd7c93aac4b7cb80930bd06eb45bd350aff585f10e3d0ef8a782ef7df)
            mstore(add(m, 0x240), 0x045b9f59b6595e614dc08f222b469b138e886e64bf3c40aa97ea0ae754934d30)
            mstore(add(m, 0x260), 0x0ac1e91c57d9da919fd6f59d2a40ff8ea3e41e24e247a387adf2584295d61c66)
            mstore(add(m, 0x280), 0x028a1621a94054b0c7f9a421353cd89d0fd67061aee99979d12e68f04e62d134)
            mstore(add(m, 0x2a0), 0x26b41802c071ea4c9632647ed059236e50c19c3fb3c96d09d02aae2a0dcd9dbc)
            mstore(add(m, 0x2c0), 0x2fb5dda8072bb72cbaac2f63e468215e05c9de06758db6a94af34384aedb462b)
            mstore(add(m, 0x2e0), 0x2212d3a0f5fccaf244ff3547fd823249ad8ab8ba2a18d383dd05c56ee894d850)
            mstore(add(m, 0x300), 0x1b041ad5b2f0684258e4dfaeea09be56a3276fdb19f44c015cd0c7eed465e2e3)
            mstore(add(m, 0x320), 0x11820363ed541daa10a44ba665bf302cdbf1dd4e6706b02c9e2a5cda412fc394)
            mstore(add(m, 0x340), 0x201935a58f5c57fc02b60d61a83785bddfd3150e05f1df5d105840b751a16317)
            mstore(add(m, 0x360), 0x0a8c2820c56971aae27a952abd33a03d46794eedd686cd8ecfed610e87c02e9a)
            mstore(add(m, 0x380), 0x180638ff301a64ca04abd6d0bd7500b6650b65ff33e6be1fd50dbc163a281877)
            mstore(add(m, 0x3a0), 0x095c716266f1de59044f97114a4158a3f85ca8a937cfbec63e9b321a812dd36b)
            mstore(add(m, 0x3c0), 0x17c31ea02fbc378320d86ffed6c7ca1583b618c5c1a687818d4087a497d73490)
            mstore(add(m, 0x3e0), 0x05b86c4bb8ef318b6a7227e4192d149d3c17a9764ccd660de4d50a77f192a91b)
            mstore(add(m, 0x400), 0x265bc95df4a4c4876ff70d7ea2fde2c7ab15f4a6ae0d237cd6ce74ba986c7a7b)
            mstore(add(m, 0x420), 0x24752b47bc6c6bc8d9bbe48f5fef2f6908701739c5f5b4b3d6c886d4715c7929)
            mstore(add(m, 0x440), 0x14814a1e0f492a4ea0d86e527a96482178d624b98da96ee5e583b9324d974efe)
            mstore(add(m, 0x460), 0x10def931073b6479bd60577378f29381997c8e041d3cfb3dc7523bca906f00bd)
            mstore(add(m, 0x480), 0x14f7ae770bf7e95f7f706c0d8ab4ed03fa0b880d28c69d031b4592c98610175f)
            mstore(add(m, 0x4a0), 0x1aef50a0cee751b59f926af40e8035d19decc9d428ebe4e775c5cc9dce1ce589)
            mstore(add(m, 0x4c0), 0x041935607172f68eba65ca60068dfe3b086c2a2d57d09602951214b57e73cf5a)
            mstore(add(m, 0x4e0), 0x26863e9dd24255d1573bd083959b856c0493fbefe83c819837a151d3bf452cb8)
            mstore(add(m, 0x500), 0x2036efb6f9830965eb3d7a068bd087c9f5adf251ba62052c652738e63ff8b3af)
            mstore(add(m, 0x520), 0x0c712a975b74dc9d766b639a029969ca30be4f75a753f854b00fa4f1b4f4ee9b)
            mstore(add(m, 0x540), 0x08014dab3cd1667e27afc99bfac1e6807afdff6456492ca3375731d387539699)
            mstore(add(m, 0x560), 0x198d07192db4fac2a82a4a79839d6a2b97c4dd4d37b4e8f3b53009f79b34e6a4)
            mstore(add(m, 0x580), 0x29eb1de42a3ad381b23b4131426897a32709b29d53bb946dfd15784d1f63e572)
            // Constants of the partial rounds. Memory may be used: the last of them is zero.
            mstore(add(m, 0x7c0), 0x0a01776bb22f4b6b8eccff33e76fded3144fb7e3ac14e846a91e64afb1500eff)
            mstore(add(m, 0x820), 0x205cdaee7295289c98bde748b6b43541bdde0a22fc309bd16bee9dba78a4342d)
            mstore(add(m, 0x880), 0x230dca29e3a840c0c3695bb6c1e875e397e3777ee81813ef146c203c0137dd61)
            mstore(add(m, 0x8e0), 0x139c56afc3fba81630b6d26908a961c43282f61c46ac47610b769a04ac0cd2a9)
            mstore(add(m, 0x940), 0x082d842eaec27103f359701f304932730f815d59f3bf418342a4aaf6ab72e17a)
            mstore(add(m, 0x9a0), 0x2cab4fbe7101ef8cfff6286674a3c934deb34ae61249b0554aca8af08dbef962)
            mstore(add(m, 0xa00), 0x2fae2f96389c62d7963fe16f063f623a74bcc30d30f28912170b45d01ad4f049)
            mstore(add(m, 0xa60), 0x2564ab346a46bda9f92d5713ffcac33ca5838556cfd41e26c2c8b32474ab996f)
            mstore(add(m, 0xac0), 0x2e1af62e9d8def47db3488e2779f9b107cf90eaa886680e60b214df3224ef829)
            mstore(add(m, 0xb20), 0x049060cec0c8624615ed7197e5998443e858ce596cce018b40a160ea9f0a6e0c)
            mstore(add(m, 0xb80), 0x1cb6da87797508d08ce54e980c8144ae04fb6e54254374930801678dfcc229fc)
            mstore(add(m, 0xbe0), 0x148524bf0563895a038a897e2bbaa6ab7852712caa8464081a8a4899707f52cf)
            mstore(add(m, 0xc40), 0x1563eb05b82a8035c2d9784d578142a1d365b6f1a0b12d527155282e4f170024)
            mstore(add(m, 0xca0), 0x162aae479a97f0a09eca3847c24c1bfcabd91520480e1717bf557fe1f043dce6)
            mstore(add(m, 0xd00), 0x2e28ecd116c3132128cc41bfaa6272b90fc1d061cce1cecdd37139adf3dd41af)
            mstore(add(m, 0xd60), 0x01a482546b6fb1529759fd55c67b304fbeecc58b23e6f1a22246809a3853e562)
            mstore(add(m, 0xdc0), 0x2420904f1d69e544cc479a6051825fb18e5338888391d3460e2783fc6b239ffb)
            mstore(add(m, 0xe20), 0x1b7628010fc9b2ffe96045022ae68817953835fafb17b8677dff782ecdf6cfe8)
            mstore(add(m, 0xe80), 0x1d839940dabe6a4a4c1dca548dc847382ee1968760e972bc6063cfe9004b1b9f)
            mstore(add(m, 0xee0), 0x0648b21de80c19e62f61a0a2a0eabb828323c14ba3f172c3eeef8311b7f74944)
            mstore(add(m, 0xf40), 0x0e2c5ecd0be5565b6ce003c51ba1fa7514bdad1bb7786794f05f5570205da3a6)
            mstore(add(m, 0xfa0), 0x0bb071666cfdfb816b45d20499285478934eaab4550ffb002be373d993b22b06)
            mstore(add(m, 0x1000), 0x0864cc5c2ee989e2c0f4abbf6df05f6ac7efd1423c8db5bdb12c6ee86f9de25e)
            mstore(add(m, 0x1060), 0x022843c278a1a9263851f707f92f853e31bbcc9cb0b280636f234916eb8a39b6)
            mstore(add(m, 0x10c0), 0x0541875978d90a60c7eee7357e3d14ba83c5e20ad45cdca6704523de5a79d73a)
            mstore(add(m, 0x1120), 0x136bb2f8a611245752cf7142e27eca239cbb87f58b34a1f929a18936ffc98f81)
            mstore(add(m, 0x1180), 0x1e393d63f5ac49fbc7d15e7997b30e7de212f1500d8f18ec118a107b115a00eb)
            mstore(add(m, 0x11e0), 0x28281cd860bff961b1ac4fda79052ee565077859d7232405c123ba586ccd3f07)
            mstore(add(m, 0x1240), 0x1afb944c638d2405e6adbb631f831b16618fcf3303e7aec829b10751e564f296)
            mstore(add(m, 0x12a0), 0x2c616b4182d2fb64d42de72504582d78ebac1027de7c7518e339d77914416818)
            mstore(add(m, 0x1300), 0x2f38cb61eed39d5249eb703d4f3df92e5e435717e98fd92e1818329aad7007d5)
            mstore(add(m, 0x1360), 0x04da6b26c9bebd1bd6aa6e269eb6ac70354a36e59c9902bbe46d105c82fad45d)
            mstore(add(m, 0x13c0), 0x16f36a3fddc5e2c181f747f273a6181700ee2c59fb065f43d80380e883a8ba20)
            mstore(add(m, 0x1420), 0x02b5b05832836ec42d4af5aeaa7647de8ca5b909c06e638c198f920bf8ccaf7b)
            mstore(add(m, 0x1480), 0x00a9f684cf0f4999f4f6945980820949a8418cb56ff26c3fd27e21fae4a2ef9a)
            mstore(add(m, 0x14e0), 0x0b8d5bfb58eb3d4386b2e106fc2dbbddcb4ac42bf8d9315918cf42bd73b4a16e)
            mstore(add(m, 0x1540), 0x273c67ee0f2409e1d6d2b5be9489e3992c53dfa144868e454c6e032fcbf766f2)
            mstore(add(m, 0x15a0), 0x2d6705f997144e01331e92b07d400c32a78319249aea15bd135255ecd9cd3824)
            mstore(add(m, 0x1600), 0x2505975cada6d77706caa5e2ca5e1c1c6ab39fc86bf69890fecb3ebfdcd4fd04)
            mstore(add(m, 0x1660), 0x227a71873131b06a615678399957a2f7d17844bce3a4eb4c03bbc1a2b87f2e07)
            mstore(add(m, 0x16c0), 0x1c570b48328515335b4e9630a9daf11e22b7c4ba021ed4aab3ca878cccafce2f)
            mstore(add(m, 0x1720), 0x081c44c4e21299aa5c609ba7f81d78bb44b5943f86a9ddc374b83bce65877f71)
            mstore(add(m, 0x1780), 0x2b6eb16787d22470f334aacf50e7b0e4551e5d7d0fde30ebcdc88113cd7688c2)
            mstore(add(m, 0x17e0), 0x2a13033a81aa36449373bb68aa203c9156b731bf5219ab768bb806dd28d5077e)
            mstore(add(m, 0x1840), 0x1d2334d4791dde7997c8c89eefa36afb267d701de0736286e8ea9405c1472251)
            mstore(add(m, 0x18a0), 0x06831bd34d7d2fa8fad3fe0ee965adef21430d86ab68284c1bf1713121afe6d3)
            mstore(add(m, 0x1900), 0x2060698fccb726c48aae5ef2f375ec3c95e51b76873d86cfe405c4b0faac829d)
            mstore(add(m, 0x1960), 0x095e095cec4fc95b7ec39b4689d1447b37032c1a82c7d2db18c1c0c948b3f758)
            mstore(add(m, 0x19c0), 0x1dd75b46eb66d520fb0a5b07bcf7b59e59291d2bd815448ee77fc34d084ccdf6)
            mstore(add(m, 0x1a20), 0x2b2fc28a58f601bbceef42a635ca20a7678e9449a0e7a8f27dd1e9a842883480)
            mstore(add(m, 0x1a80), 0x2fad43814890c693fc1826ae33deb7502523e5a4b346f59db6f94359ca5b2623)
            mstore(add(m, 0x1ae0), 0x0061961774609ea2656da6c3fbc845fe0ca8ed70f16112bc080bab7dca3e2048)
            mstore(add(m, 0x1b40), 0x28324f9bd8276f033d3e9c94af4cc7e14e3edd18b88adf7f5e876ad1ce9008e8)
            mstore(add(m, 0x1ba0), 0x2b0879e0db998c0e81560734b0c088ff9d885a6e8de94d5c78c408a469ea1706)
            mstore(add(m, 0x1c00), 0x23449a5d34968d71c7bd0843383733eb0c011b4643dbb3e17cc59a1e66d52898)
            mstore(add(m, 0x1c60), 0x1e4250c76285a13197cfd198c2b57996a0b5aa18bf3c6dd8254c4ebd2b972ca3)
            mstore(add(m, 0x1cc0), 0x1c2f2dcfe47b4395823dad0d9d50b05b4f9baa888e112c40f381c98441908aba)
            mstore(add(m, 0x1d20), 0x235e2f81608bcc60a5e19d439eecf102d5c4c8a1c1fa94aed3030493e3f1a356)
            mstore(add(m, 0x1d80), 0x16ad0d1aac7273b77094ab4cefd138b8af3ea3a0e879f7733e208a0ae5578db8)
            mstore(add(m, 0x1de0), 0x2574972a6061c1ef8e6b03b866f8a4df8a6e10d51c882825bf4390112bdefbb2)
            mstore(add(m, 0x1e40), 0x197d2654d480abb0cd8c0ff0656ad8cd0cf10580f329d01ffe0f454810ff1d9a)
            mstore(add(m, 0x1ea0), 0x00e498b7f8a18e851b7d1199448686417fa55f1d8574b231ffa7842e12d6c550)
            mstore(add(m, 0x1f00), 0x0c6dbea71cfa8dec4d8007dfaa96fcf769b9204b67832fca0a1419536d97be5a)
            mstore(add(m, 0x1f60), 0x1b18134fb51eefb99323cde25dd2786a6dbd06b3c3f8d829af46070d31275d9b)
            mstore(add(m, 0x1fc0), 0)
        }
        // forgefmt: disable-end
    }

    /// @notice Poseidon of the 4 words at m + 0x20, each below the field's modulus; overwrites them.
    function hashAt(uint256 m) internal pure returns (uint256 h) {
        // forgefmt: disable-start
        assembly ("memory-safe") {
            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
            mstore(m, 0)
            for { let k := add(m, 0xa0) } 1 { k := add(k, 0xa0) } {
                // The S-box of a full round.
                let a0 := add(mload(m), mload(k))
                h := mulmod(a0, a0, r)
                a0 := mulmod(mulmod(h, h, r), a0, r)
                let a1 := add(mload(add(m, 0x20)), mload(add(k, 0x20)))
                h := mulmod(a1, a1, r)
                a1 := mulmod(mulmod(h, h, r), a1, r)
                let a2 := add(mload(add(m, 0x40)), mload(add(k, 0x40)))
                h := mulmod(a2, a2, r)
                a2 := mulmod(mulmod(h, h, r), a2, r)
                let a3 := add(mload(add(m, 0x60)), mload(add(k, 0x60)))
                h := mulmod(a3, a3, r)
                a3 := mulmod(mulmod(h, h, r), a3, r)
                let a4 := add(mload(add(m, 0x80)), mload(add(k, 0x80)))
                h := mulmod(a4, a4, r)
                a4 := mulmod(mulmod(h, h, r), a4, r)
                if eq(k, add(m, 0x280)) {
                    // The first elements before the first partial round.
                    h := mod(add(mulmod(a0, 0x1e6bfb423941ac04159cd2f9e41292c00173efdde61d2fc2149fa532ecd4b7e8, r), add(mulmod(a1, 0x17733db8f72798ef14ae0e2a315c8b75d08af04b2a0274ed45e39101726e5d4b, r), add(mulmod(a2, 0x084718585910c2889f3f0e619a3ddcf6fd18b3582e8980a1ef1828506e7b7838, r), add(mulmod(a3, 0x14c773145b5a3322771797cfae2681985ff0546f1ece63922a7547ecdb9b2ff0, r), mulmod(a4, 0x19cd9dad6ada75623b786f9fcfc10d14ea23cca339a01d6ae076301ffddc8b31, r))))), r)
                    mstore(add(m, 0x5a0), h)
                    mstore(add(m, 0x5c0), h)
                    h := mod(add(mulmod(a0, 0x2d8a4330c29461f9c3c1bfc521fe4741e80570aae32d227fcd473774be7c75ea, r), add(mulmod(a1, 0x07cfe7196698225eb0bb0f5908129813019cf588c2433ae71c2550a7c338afb1, r), add(mulmod(a2, 0x1a7bb281b70149d3e117242afb1a5cda3c90736a9de8ab120f385a22bb7beace, r), add(mulmod(a3, 0x129f4a0e9d557bfa3c2b8a6ab632addf31f7e4e40422daf0284c3f6114993100, r), mulmod(a4, 0x2b5717478b808da4672f10cbe0da5f5b0897e70ba18fe8cf95e26589f5aa0cf3, r))))), r)
                    mstore(add(m, 0x600), h)
                    mstore(add(m, 0x620), h)
                    h := mod(add(mulmod(a0, 0x086a75130115f89c3aa9a5b012084b6d12fed3e9030389107ecab10780d87278, r), add(mulmod(a1, 0x29430b4f368fea237a68d60754af140511c591c76f17e0e0474942d1d5bc2897, r), add(mulmod(a2, 0x22353aa91b79b9963973b8b78ee6c545f5aeeacbbe09ee55c56da803be4eeec9, r), add(mulmod(a3, 0x14e463c82ae82bcc2d8b53fc742b4d04def82a8febf7654eacf8c5673419f0a0, r), mulmod(a4, 0x214d1105f770d1c2e12a545c4854babb4fcfb65e70789fa068058601b1507bb6, r))))), r)
                    mstore(add(m, 0x660), h)
                    mstore(add(m, 0x680), h)
                    h := mod(add(mulmod(a0, 0x164ce7689cd34e715530d7a8f9f89493fa401f28866868300a07b795463d35d5, r), add(mulmod(a1, 0x1db393d0c2263141f20ea20e014a394a12b2b6d18e5bb2fcd023820eb5609d5c, r), add(mulmod(a2, 0x2ea4b39c798cb58fc5c1feea7573b0bd6384229a60b5b10e00364d7e376c668a, r), add(mulmod(a3, 0x2d2b4966cbb1a87832f7e0591681966b81bd3a5a0ed04aed9d41b342029ba735, r), mulmod(a4, 0x245f6aa5486951fc05c8759855667af4e608a349b9dd3773644241f986b0fed0, r))))), r)
                    mstore(add(m, 0x6c0), h)
                    mstore(add(m, 0x6e0), h)
                    h := a0
                    mstore(add(m, 0x720), h)
                    mstore(add(m, 0x740), h)
                    // a0 is the record of the round t before this one.
                    a0 := add(m, 0x5a0)
                    a1 := add(a0, 0x1680)
                    for { a2 := add(a0, 0x1860) } lt(a0, a2) { a0 := add(a0, 0x60) } {
                        h := add(mload(add(a0, 0x220)), add(mulmod(mload(add(a0, 0x20)), 0x074019237db9fbc928e4fceaf52b9ffe45ead67eab8e238cb18878e6b20b8a6c, r), add(mulmod(mload(add(a0, 0x60)), 0x218796dd338868e7300732cf5d3925c74c1badd0a32d8b41b96e555ddfe27869, r), add(mulmod(mload(add(a0, 0x80)), 0x14f6ab2c6caef74572f821bb82c4bda12a302be5aeb91ad1562b97b09db427d8, r), mulmod(mload(add(a0, 0xc0)), 0x2503f642cfcb5f06e1a18c68efca3c0672ed26edfc7e6e77513ba7a4c660ab53, r)))))
                        h := addmod(h, add(mulmod(mload(add(a0, 0xe0)), 0x0207da9637379529f714ecb391b8679e0e706aa377007317ef46da24e8f9124e, r), add(mulmod(mload(add(a0, 0x120)), 0x2c01b6282fad3d37bdc72033b4d8da10494ac283ec74d5e63d72dbe06b4037c6, r), add(mulmod(mload(add(a0, 0x140)), 0x0d1ecfc6e6ec39c56d953ff80bbbe31b5710aa74969d92b87beaf53de7935be3, r), add(mulmod(mload(add(a0, 0x180)), 0x172f5e628cc26149dcc488004690cfa55faac52708481fffb3d4cfa3808b4051, r), mulmod(mload(add(a0, 0x1a0)), 0x251e7fdf99591080080b0af133b9e4369f22e57ace3cd7f64fc6fdbcf38d7da1, r))))), r)
                        mstore(add(a0, 0x1e0), h)
                        if lt(a0, a1) {
                            let x := mulmod(h, h, r)
                            h := mulmod(mulmod(x, x, r), h, r)
                        }
                        mstore(add(a0, 0x200), h)
                    }
                    // The state after the last partial round.
                    a4 := mload(add(a0, 0x180))
                    a3 := mload(add(a0, 0x120))
                    a2 := mload(add(a0, 0xc0))
                    a1 := mload(add(a0, 0x60))
                    a0 := mload(a0)
                    mstore(m, a0)
                    mstore(add(m, 0x20), mod(add(mulmod(a0, 0x19f61f1009d53351c7d823bf07ffa480d1c93105ac8e2b168af8e7e375058961, r), add(mulmod(a1, 0x1809198f83db80d2bf3e206039a9d2b9b9d819bb270c050cdc9165169b5f1372, r), add(mulmod(a2, 0x265aa71f16c8f3b7079a4abbd5df8ecaf92632ade60dcc4e0b4d0becf49e479f, r), add(mulmod(a3, 0x08aa63ac00faa4c7f2dec962b13c5a68925ed6126270db430cef57c45f700578, r), mulmod(a4, 0x1f12303e4dd8134c80e541b3ee376b473431d852d368476d62ae591eb50c1fb4, r))))), r))
                    mstore(add(m, 0x40), mod(add(mulmod(a0, 0x06a54d6dba388d97a1f0f91808c578e45932377b5cfb6b4c30642ce9b10245bd, r), add(mulmod(a1, 0x25cde50fcbcb2f4c2ec701be211e74c567e19c85a66b87d9eae3f4e8e6635034, r), add(mulmod(a2, 0x0578d41fff76d937e41cd15be6ffaf0f3f33c87377be5a4f0b07574c43ec434a, r), add(mulmod(a3, 0x269e87cc2750bbcd83ff5d67e53d0949bbb088ae69148a774a56aea29ca4bf4f, r), mulmod(a4, 0x0fc40f22a7b7a774910c71bf287ff5b975a731ec30832d7591467e660b5cd588, r))))), r))
                    mstore(add(m, 0x60), mod(add(mulmod(a0, 0x073a3a155a85c2f67cd5a4c5a6202fb608076e25a702f88f8de1a8128ddbeb22, r), add(mulmod(a1, 0x185c83ed132ce5d6930855442d7f342d9f591a4a56358004eddd0f97bac25881, r), add(mulmod(a2, 0x29c52910ae95a71dfd08f29ec5c1b0f6a02eeaebb90c0580b8ab3c73298909a3, r), add(mulmod(a3, 0x0f5b04dacd8107212123a10b546022271f57ed21dc1c3ddbd119fee489993140, r), mulmod(a4, 0x2bd6d392fb461e926f841d5530a743db2dd62b3b756ce1684f4b36bd79976ee5, r))))), r))
                    mstore(add(m, 0x80), mod(add(mulmod(a0, 0x07857f5036b498acea703a6caac4406af64fc82fd88ba1ad5924c5c300556322, r), add(mulmod(a1, 0x20f1d51661c746c3a2f3a8f0740ad1aa54ede09f728f4ae0e6412f3e335c4650, r), add(mulmod(a2, 0x03f7d0ae7bb133de4170227cb328a927cf6e315cf5d45acc9865fb26c5ab492a, r), add(mulmod(a3, 0x1cf814acbd85cecf6551ea9cb59157c483b37d8e448e10b97f63ae4c2c40f67e, r), mulmod(a4, 0x269911f3cc7a4c7fe1a845decaed9552c83d692017c3e50d04a870cd5afb4e13, r))))), r))
                    continue
                }
                h := mod(add(mulmod(a0, 0x251e7fdf99591080080b0af133b9e4369f22e57ace3cd7f64fc6fdbcf38d7da1, r), add(mulmod(a1, 0x25fb50b65acf4fb047cbd3b1c17d97c7fe26ea9ca238d6e348550486e91c7765, r), add(mulmod(a2, 0x293d617d7da72102355f39ebf62f91b06deb5325f367a4556ea1e31ed5767833, r), add(mulmod(a3, 0x104d0295ab00c85e960111ac25da474366599e575a9b7edf6145f14ba6d3c1c4, r), mulmod(a4, 0x0aaa35e2c84baf117dea3e336cd96a39792b3813954fe9bf3ed5b90f2f69c977, r))))), r)
                if eq(k, add(m, 0x500)) { break }
                mstore(m, h)
                mstore(add(m, 0x20), mod(add(mulmod(a0, 0x2a70b9f1d4bbccdbc03e17c1d1dcdb02052903dc6609ea6969f661b2eb74c839, r), add(mulmod(a1, 0x281154651c921e746315a9934f1b8a1bba9f92ad8ef4b979115b8e2e991ccd7a, r), add(mulmod(a2, 0x28c2be2f8264f95f0b53c732134efa338ccd8fdb9ee2b45fb86a894f7db36c37, r), add(mulmod(a3, 0x21888041e6febd546d427c890b1883bb9b626d8cb4dc18dcc4ec8fa75e530a13, r), mulmod(a4, 0x14ddb5fada0171db80195b9592d8cf2be810930e3ea4574a350d65e2cbff4941, r))))), r))
                mstore(add(m, 0x40), mod(add(mulmod(a0, 0x2f69a7198e1fbcc7dea43265306a37ed55b91bff652ad69aa4fa8478970d401d, r), add(mulmod(a1, 0x001c1edd62645b73ad931ab80e37bbb267ba312b34140e716d6a3747594d3052, r), add(mulmod(a2, 0x15b98ce93e47bc64ce2f2c96c69663c439c40c603049466fa7f9a4b228bfc32b, r), add(mulmod(a3, 0x12c7e2adfa524e5958f65be2fbac809fcba8458b28e44d9265051de33163cf9c, r), mulmod(a4, 0x2efc2b90d688134849018222e7b8922eaf67ce79816ef468531ec2de53bbd167, r))))), r))
                mstore(add(m, 0x60), mod(add(mulmod(a0, 0x0c3f050a6bf5af151981e55e3e1a29a13c3ffa4550bd2514f1afd6c5f721f830, r), add(mulmod(a1, 0x0dec54e6dbf75205fa75ba7992bd34f08b2efe2ecd424a73eda7784320a1a36e, r), add(mulmod(a2, 0x1c482a25a729f5df20225815034b196098364a11f4d988fb7cc75cf32d8136fa, r), add(mulmod(a3, 0x2625ce48a7b39a4252732624e4ab94360812ac2fc9a14a5fb8b607ae9fd8514a, r), mulmod(a4, 0x07f017a7ebd56dd086f7cd4fd710c509ed7ef8e300b9a8bb9fb9f28af710251f, r))))), r))
                mstore(add(m, 0x80), mod(add(mulmod(a0, 0x2a20e3a4a0e57d92f97c9d6186c6c3ea7c5e55c20146259be2f78c2ccc2e3595, r), add(mulmod(a1, 0x1049f8210566b51faafb1e9a5d63c0ee701673aed820d9c4403b01feb727a549, r), add(mulmod(a2, 0x02ecac687ef5b4b568002bd9d1b96b4bef357a69e3e86b5561b9299b82d69c8e, r), add(mulmod(a3, 0x2d3a1aea2e6d44466808f88c9ba903d3bdcb6b58ba40441ed4ebcf11bbe1e37b, r), mulmod(a4, 0x14074bb14c982c81c9ad171e4f35fe49b39c4a7a72dbb6d9c98d803bfed65e64, r))))), r))
            }
        }
        // forgefmt: disable-end
    }

    /// @notice Poseidon of 4 words, each below the field's modulus.
    function hash(uint256[4] memory inputs) internal pure returns (uint256) {
        uint256 m = workspace();
        assembly ("memory-safe") {
            mcopy(add(m, 0x20), inputs, 0x80)
        }
        return hashAt(m);
    }
}
