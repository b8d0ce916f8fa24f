// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

// Written by tests/poseidon.rs, which says how. Not to be edited.

/// @title Poseidon of 5 elements over BN254's scalar field, circom's parameters
/// @dev Width 6, 8 full and 60 partial rounds. In a partial round only the first element u passes the S-box, the rest
/// is linear: so u obeys a linear recurrence over the last 6 values of u and of s = u⁵, with the same coefficients in
/// every round (Cayley and Hamilton), and one constant a round. 6 rounds without S-box before and after lead from the
/// state to 6 values of u and back. The result is exactly the hash in its usual form.
library PoseidonT6 {
    /// @notice Memory for any number of hashes, one after the other, with the constants in it.
    function workspace() internal pure returns (uint256 m) {
        // forgefmt: disable-start
        assembly ("memory-safe") {
            m := mload(0x40)
            mstore(0x40, add(m, 0x21c0))
            // Constants of the full rounds.
            mstore(add(m, 0xc0), 0x1448614598e00f98e7ae7dea45fbd83bd968653ef8390cde2e86b706ad40c651)
            mstore(add(m, 0xe0), 0x0ab7b291388e5c9e43c0dc1f591fb83ecdb65022e1b70af43b8a7b40c1dff7c3)
            mstore(add(m, 0x100), 0x2b7cbb217896f52c9a8c088e654af21e84cde754a3cef5b15c4d5466612d6adf)
            mstore(add(m, 0x120), 0x2bc6b0ddbe1d701b6570428bdc1ca1bf0da59ff3bbbb95fc2bc71c0c6e67a65c)
            mstore(add(m, 0x140), 0x123a55a31980384f3d20b2cecbc44ed60c38c11f7d20e9271efab9a905eefd3c)
            mstore(add(m, 0x160), 0x037501cc8c9dc819309a769f4df098e588b01858bc8eb7e279e2883be9fb8c53)
            mstore(add(m, 0x180), 0x1c2116e47e03a86bb11695b0a5f6dab6b9a460b1eb951ab01c259eca3fd47d51)
            mstore(add(m, 0x1a0), 0x2c18213489032e85a9c8cb8e9a65839bfaed13e57bc0fae49dbdaebf54f56f93)
            mstore(add(m, 0x1c0), 0x2ee8fed3d4d2c71a0429eafd8e5db1718f29e2227985fdf2ad8703c835b9e031)
            mstore(add(m, 0x1e0), 0x28c64d8f5ed7aac004c92029d9e9bf91ba9436d1cce94b9316d111c70a0c1714)
            mstore(add(m, 0x200), 0x18a01d9ffb747ae0de3e83c707f8b24f682c84f15abf571b34254a03478665e0)
            mstore(add(m, 0x220), 0x1c21d92bef197e73b234e4777b60db14e642a56cee71515d54e1ac71cde72bd3)
            mstore(add(m, 0x240), 0x0ad404ccbcb1e195897cb60c80981ebb9d66a6677dbbedad8b6455fe62d807b1)
            mstore(add(m, 0x260), 0x0a9b6de833064f93b6adb99af6c005945cb654cb7bd14c8b97af8b60cc1fb387)
            mstore(add(m, 0x280), 0x13129e3f930aed6d47690331ff09dc5160efa58ddce2c3e6180d45bec3aa3a6f)
            mstore(add(m, 0x2a0), 0x0d7a614c8991508ab1ce4895813bb1c82f18bf7bfc9e280ccca18079839387f1)
            mstore(add(m, 0x2c0), 0x0532f7ec36e30041b0486986875c913a49bddf2f5af5febe8c31f2f4094ffea5)
            mstore(add(m, 0x2e0), 0x06bbcb8e8e180201293e712f4950f1b0bbee808c9d64263c84d9d8ae155cb892)
            mstore(add(m, 0x300), 0x0f558a4db1a3ac07f61e2e6bee947f73586bf40f211ceb4f687ca5678a9dcb33)
            mstore(add(m, 0x320), 0x2be140a60b5b5f2f8edd78a818a969b20c643e419bcf0b577c24a0d0e7acfe98)
            mstore(add(m, 0x340), 0x1c49c4b9a9f09f7b9ad5f74ebacc710512b8e867bace27cb0dea06e89b96f631)
            mstore(add(m, 0x360), 0x170c1a732721b12cde7f33e476a39a1aa77a81c06e2eac503847b00d597652db)
            mstore(add(m, 0x380), 0x19c27d0e52f65ca34f4e31a068e49331c6bfc39d9241f9d4c302041615cf27f1)
            mstore(add(m, 0x3a0), 0x2f1bdc5254f9220c1a731fc5276964dab26b385fa40b6b04bed9960e2543ba08)
            mstore(add(m, 0x3c0), 0x28933852266b52d9ea6b5bb923d9d94f2e5a5be5c778e75e07942c234b643bd9)
            mstore(add(m, 0x3e0), 0x099ab6765505ba1198ef140e77b7954d4fbe79a056ce72bace39c048c00da3cf)
            mstore(add(m, 0x400), 0x2af211d8e0ac2d8fda7f849b8f229a225c6186b55762c7a7b2ae2d1dd85c57cb)
            mstore(add(m, 0x420), 0x0cd070f234014a2809ab90c71c1da61e98a96322fedd99b6aaae1ca104f3facf)
            mstore(add(m, 0x440), 0x26793e2abc8d3c30c60626fbaa158f263587d6bd15833d448b116264b930256a)
            mstore(add(m, 0x460), 0x225be36ed0ee85e1f845ada84e5748a56699152113ff61b5056b6d8bde60c19d)
            mstore(add(m, 0x480), 0x02174f49edb02d5154d2beca2dc92b9cc595383da1fde8f09e4b5ee3ea5a065e)
            mstore(add(m, 0x4a0), 0x0f64891c2c8b020e46c3594cb758f0bddcdbd09bd0308816fb41734a869872c3)
            mstore(add(m, 0x4c0), 0x192a84ca2f99d36991e2d2b1deff3989d1c156c239e10e9f56140e1854576067)
            mstore(add(m, 0x4e0), 0x29dfcd7b63f05abf2753a8c341d6b7a60c6243b04c9a1b8b3320bba04a4d4787)
            mstore(add(m, 0x500), 0x1ee27ad6b9b5a867733afc61a2b3e76a52ba3e4bd5e657ade91fc038819dba5b)
            mstore(add(m, 0x520), 0x0ab4773f150c3f8ad3bc9538f43cec395a7e3731ae973fefeb623a09217e64c7)
            mstore(add(m, 0x540), 0x13c352a02f595186202cb0b99fa58c5542ab67f9b6d3a0afd103deeff6d80f41)
            mstore(add(m, 0x560), 0x2a97cf2c10c4bfbfd299f67c52a169f92c05b7dac56a41c4dd4fe87c8246ce14)
            mstore(add(m, 0x580), 0x00becbb47042bd7f8c9f6bb422162d1aed089a28482f7fd16ab06a13285fe702)
            mstore(add(m, 0x5a0), 0x008e44da21d738691b881757ef37ed29c5bd9f7a4450fcf53290a92cc2ca2176)
            mstore(add(m, 0x5c0), 0x2b205a8b6d4b7063d931f3bb5d3464053843fe7fbe4b83c17883f86527882a18)
            mstore(add(m, 0x5e0), 0x2d9e32a7c90556fe108d255ac01e75df338fcd63b2bf84c19280d427298863fc)
            mstore(add(m, 0x600), 0x29a322a84c25bd2ddf6e2e4200228d95abd6349a02266ac1dbba520738ceca97)
            mstore(add(m, 0x620), 0x0678c9bfc6f2df012f4fe55e33bb68ac14ced1df0d02152792089d046d828c43)
            mstore(add(m, 0x640), 0x0faff3a5e7425794fe20a7e0eb615b8b1760394b7f2304286a3ae4009124db23)
            mstore(add(m, 0x660), 0x1f8f5b611af9feb9cea86c084058120553e404103aee213f5a41d1d02541c0d3)
            mstore(add(m, 0x680), 0x160875d8479602f96f40acc2d042ee52c1588b6a29de4284965a6dc6c930ea07)
            mstore(add(m, 0x6a0), 0x16d87a5183a316a1d70afc951efe2cd667c77328fcfda458cbf5fe3045f46d9e)
            // Constants of the partial rounds. Memory may be used: the last of them is zero.
            mstore(add(m, 0x940), 0x05b42d2fbccbf4d39d2be9339cabe9d0dc6d921e855cd91154b639d28d4a1cf0)
            mstore(add(m, 0x9a0), 0x1622a969fc8e977c62584d1c24b71acb098b505ed311ca4d4d6f896ca5b9c8be)
            mstore(add(m, 0xa00), 0x09459234d5abd14f1d544de203857e683ff5113632d82d0ac723403261480b85)
            mstore(add(m, 0xa60), 0x0e3df038fa7daacdb4a29d5333b181a39284ede5470a78421a6ff3999c87efd2)
            mstore(add(m, 0xac0), 0x18a1e8b2770458803f15d74ae41c2577284e88752ab83e96d09ff0ecc7aa7d6a)
            mstore(add(m, 0xb20), 0x1135742523f8c318a8e350d9d3fd079065e8694f3a0bbeba7bd2841928889b06)
            mstore(add(m, 0xb80), 0x2febff902ff1df28f09bbf3a746eb29b6adde8e4b51434f470106b1fa7588e94)
            mstore(add(m, 0xbe0), 0x194cab3c5fb83e1fd6d6577dc43d2d1a21100a203f605a9804035c0886d0b2a1)
            mstore(add(m, 0xc40), 0x09e75c5e03cede8b3d04679f63039300988a432b28d50a3febd336f36f35f4ac)
            mstore(add(m, 0xca0), 0x22ba916f7590b28cb17e4f0be4f41c2d45be48cb58a81620b7e52ac88525882e)
            mstore(add(m, 0xd00), 0x1dbbb81d2de5b1680eef7a38b1f8b0bf640f66db177aeae38ff8300e6ce46d94)
            mstore(add(m, 0xd60), 0x27e6ebb23f1a7325c47ee08a3debecc640aa584335bc301a67672bab53fe8a52)
            mstore(add(m, 0xdc0), 0x22c82620ef7572dbc727b197d5d7db190f50d2638ba40f09df61d39eea44ec45)
            mstore(add(m, 0xe20), 0x0566d2f34b3e8a37917fcdb240912daf0a7e50db948fa68d54f2677404e53312)
            mstore(add(m, 0xe80), 0x00bc4936bb4b6a02c748f2021ae9820b8082f3e34e78ffc6ba6e3ded7c9e9e78)
            mstore(add(m, 0xee0), 0x223825ebc9fabedceacda061b98d47f2aaf90eb6fe6f90f9a7f4eca066a263ab)
            mstore(add(m, 0xf40), 0x2d513bed518b8c56d9f3528511d8d37a0fd8740df0e2673a9f995b222b85012a)
            mstore(add(m, 0xfa0), 0x231cd7ee5aca3c1b9064b5ac41a5b2e1ce7b49365976c8b50d9536c10257be7c)
            mstore(add(m, 0x1000), 0x19f52b3395869c9935f567036469a4cb379045fa1b5de5f5725c8f4bb65f0de5)
            mstore(add(m, 0x1060), 0x1b0de9f5e9bf0ac7a5864f86cf2bf80a82de6b1716dd0a58d7b54dd462eb452e)
            mstore(add(m, 0x10c0), 0x1525d7bf6549a5642b75258c855547970509bb1bdead85d4587434483d2fa354)
            mstore(add(m, 0x1120), 0x187ef2b92ecc10edc5e0e600c9b0ceddef2b210b543ff851f351033e52dddcfe)
            mstore(add(m, 0x1180), 0x110ecb6e3a9a574cdad126ebebbf1e43960b82c36cc99dfbf0b74ce8fe81dfb5)
            mstore(add(m, 0x11e0), 0x0e5bad8ac012f5f3c0a5a3efe1d2bde8d1a955257d1ba37bf2628d7bdb2c4800)
            mstore(add(m, 0x1240), 0x22754fec401eef2d953b24a21175f5c6cf0d40fbe936fba312b90ff2918f596f)
            mstore(add(m, 0x12a0), 0x17f2d683f7841a5fa67ca6c9b5fe6069c9d2ffd366e3cea86e88bae613b8039d)
            mstore(add(m, 0x1300), 0x17dd47b3b0ff037768f2eaf4eab406068753b117f8a9f38a0471a7ff1ef0b4af)
            mstore(add(m, 0x1360), 0x06aa7b86f652ffb6b714e7c295fe3e67328065c2f8237f8ec6b5e19b8c4cc5a7)
            mstore(add(m, 0x13c0), 0x0ae6a4f31d9b594f1147f107dc8732f59bc8ab2f214386d0970d49b201c75c19)
            mstore(add(m, 0x1420), 0x264f5217d305909c1e4d5d75dceefbd4fb5f4ced431839cdc14e3ce59b4a5284)
            mstore(add(m, 0x1480), 0x0712ac71fbecf5ce9dee40d98d44ba28090baf37c15aee075e699d57c25285c4)
            mstore(add(m, 0x14e0), 0x01e542fe047b9cfd2bb253eecce63a4d88fe4001a017b45225dc2fac66d6bd4e)
            mstore(add(m, 0x1540), 0x11cb3f6b8c89888e61b2e3ea1a35ca0811bec52b870c84e7e20ed37f6018c210)
            mstore(add(m, 0x15a0), 0x0d53886dc1f33d81878cd00f7838d42cb91ac7ea53ea794c0870ec4b18f825d4)
            mstore(add(m, 0x1600), 0x04783d5159f68968bf8a5d286488c5b36bc0cc719e4910f59c71c08c7d1c236e)
            mstore(add(m, 0x1660), 0x188c40474c006dfe72943ac9bce12d4164f6dcaa12b2119ae0874b5c47021291)
            mstore(add(m, 0x16c0), 0x290516fadd28f9810c861c654dbc8dd5f5ee4885b3ab38eebed8daae44722295)
            mstore(add(m, 0x1720), 0x17eb8769849594182c246fb4a48e1f80ebed832eca8c92ba0a02e03d52504b21)
            mstore(add(m, 0x1780), 0x0c1fed811d0d111408d7a5264789f371965da4e67353611ddbcd5d2bab9a7dfe)
            mstore(add(m, 0x17e0), 0x1473ba5d22633ea78490132dfa0d5eee3791f32b1496b16cbf91bf53c226ea6e)
            mstore(add(m, 0x1840), 0x0b5a4d1a6ba9e17bf033003dab6da2787b5dfc4117632874ad99aa93291b8858)
            mstore(add(m, 0x18a0), 0x0edaf811a46da3dddce35bddddd2ab9158947f32c31024808cdfe373206d1275)
            mstore(add(m, 0x1900), 0x0faa870f9ce927f9aaba3dd9f4755dc43a8c391216f4cd304d753e9e2a183156)
            mstore(add(m, 0x1960), 0x197ae69e2319aa1d19d4e62aebedc79c70180bae9e08dba22a56f4bc0a8ccc06)
            mstore(add(m, 0x19c0), 0x22945f58218b4fbad4dd6cedd3990c3edde871e810bb17d8da661ef59eb63977)
            mstore(add(m, 0x1a20), 0x07d9365c4e2b02e9d03df3abc7bc91fd1612dae0b9e725e8659593e07808247a)
            mstore(add(m, 0x1a80), 0x0f37289ddddf90d4768c0c9bcd5097d4a0e453dae50df55c671cf4ee818b37bb)
            mstore(add(m, 0x1ae0), 0x13f3a9341bc4d3fc005a93018f316a15e6981841b4b5e514252096a27b27026d)
            mstore(add(m, 0x1b40), 0x074bbdea62704ce0faf8469dabe3aae65d823c0728944d1ba7cc3d5f3b464990)
            mstore(add(m, 0x1ba0), 0x2c60d45859d5985ee0f6bf9c7f29f2769cb26d5315bf708ea740a16797ff0274)
            mstore(add(m, 0x1c00), 0x210a57d3ae60db9b4d9a120cc8b6e648fa7767a46f36e978d72a43dae88ab5a2)
            mstore(add(m, 0x1c60), 0x1ec7dc6361b0b3816f05bf2524f4910ab2c1f11f54af185d36cd5803c0e71a7f)
            mstore(add(m, 0x1cc0), 0x1e577ca42f8df6ba816fab6da952b034eba566adde6a754853937af9178f7586)
            mstore(add(m, 0x1d20), 0x011f36012f706c6c3e9e63892cd4b4a0fec4aa02a7267cd7ddd8b55b8695e00a)
            mstore(add(m, 0x1d80), 0x063ccc8f655b3ac6f1fb4fe9681530565d89b1e12d4a0668aa72b0eeea852c23)
            mstore(add(m, 0x1de0), 0x2e30c154c7e7c376468fcb4c341fc54ff927c015de258fc41ccb5124165adb49)
            mstore(add(m, 0x1e40), 0x157f1c58e5f03ce0ad0f253bd9b456814f3ea52a5329c0ccc1da5cad48adb919)
            mstore(add(m, 0x1ea0), 0x034e5effdb14da1ee9ee577f49cebc7291e5d7680c575f6cdb786dac96b72713)
            mstore(add(m, 0x1f00), 0x120fdef6a0c4e4c9eb8e7440df506df0224208a6a5dcd28c22065534768b05e6)
            mstore(add(m, 0x1f60), 0x2d96e2b457cb462e10eb457c15207b4a0439cff63a164dba220239acf9fb4447)
            mstore(add(m, 0x1fc0), 0x241662780f28055377d4f566880745146529480c92ee6e900a9de8019e30323f)
            mstore(add(m, 0x2020), 0x22e0bc65dcfee3933e791db8034ad5cec08b7067343b337921b6337c0ffb1240)
            mstore(add(m, 0x2080), 0x2c2c8438e312f7d1ec48082df7cc30c243780eb097382bca594eec256ea58a46)
            mstore(add(m, 0x20e0), 0x1ebe91f10f1cfafb1425488e9ee9cbc1d253ca1419f61d753424d3bf13ad08dd)
            mstore(add(m, 0x2140), 0x2d441c07699a7bc7b9f090bdf453bbb9f52caf20858f2295b1a545d8caf9923f)
            mstore(add(m, 0x21a0), 0)
        }
        // forgefmt: disable-end
    }

    /// @notice Poseidon of the 5 words at m + 0x20, each below the field's modulus; overwrites them.
    function hashAt(uint256 m) internal pure returns (uint256 h) {
        // forgefmt: disable-start
        assembly ("memory-safe") {
            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
            mstore(m, 0)
            for { let k := add(m, 0xc0) } 1 { k := add(k, 0xc0) } {
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
                let a5 := add(mload(add(m, 0xa0)), mload(add(k, 0xa0)))
                h := mulmod(a5, a5, r)
                a5 := mulmod(mulmod(h, h, r), a5, r)
                if eq(k, add(m, 0x300)) {
                    // The first elements before the first partial round.
                    h := addmod(add(mulmod(a0, 0x25f49fd42543e4cd0439aed4fbec2189613b264bdb12c45cb5e566d34f8ac072, r), add(mulmod(a1, 0x1d07b21b3c321e42c6cfd62439ea4101410c57b28ac5ab57f805e2c62b527a16, r), add(mulmod(a2, 0x21276e3209fcdd16b3a19e7e45fae83381cc57edbfc610d738534df2c50f710f, r), add(mulmod(a3, 0x196ac7642c32134ef3aac8a06208a390b587c6ddf83e6d0acba19f60763ef1e1, r), mulmod(a4, 0x2021a3aeffe4ab2eb3b8707b78bd7805f4597b1344d4a15bb120ce94ff84dfa2, r))))), mulmod(a5, 0x19644a69b176cc88f7e51b741f6020bda46c37dad2383476d1077b500f89d33c, r), r)
                    mstore(add(m, 0x6c0), h)
                    mstore(add(m, 0x6e0), h)
                    h := addmod(add(mulmod(a0, 0x2b2ad57a70889bc4a190efdde3ec25cad8a8de7f52e9636f1c9a5ba8755649a7, r), add(mulmod(a1, 0x2be3a14c1c48a1a5209dc6fcf919b2207b8f2d9f00486b9d5ffec8091661efb0, r), add(mulmod(a2, 0x0f488a1d87912df0ed8d0fae9030a71c8d1308d5746e7217bb41b01d02146d91, r), add(mulmod(a3, 0x1d6129a7187173ad867109d60c927367308e72962eb910621cd99246c4904366, r), mulmod(a4, 0x18650a81ff2d478dd8ff293e43ada4b40edbcc67205c21b253bb9001db851098, r))))), mulmod(a5, 0x07c25709ed7173b88aaa37b6ce79d2dca29c6f5efc8018f2d99dabee4bd7b046, r), r)
                    mstore(add(m, 0x720), h)
                    mstore(add(m, 0x740), h)
                    h := addmod(add(mulmod(a0, 0x060baec327a26b8a5b4fdd3b7c68ab5720ef3dd546790128d3b393bd51c5e58c, r), add(mulmod(a1, 0x1b04c3e922ab399d8f54db5af6b8ca9db20ed8c568a3f49d952a71a5ee160117, r), add(mulmod(a2, 0x12a1ecdecea271211df44630e607cf0edb7c28cb27e6c1a19854e0fe311b6bbc, r), add(mulmod(a3, 0x2bd229392a775c51c1ce36800d74041a62a301580cb93738e4e84917c9cf6519, r), mulmod(a4, 0x1946a3d139950487658fa822df21413b73d766f95e8dd52eb8b8c25db3f1470e, r))))), mulmod(a5, 0x1c496600a1b46aff43618b282e33371ec59969d54e9865c3144b902ac91f98a5, r), r)
                    mstore(add(m, 0x780), h)
                    mstore(add(m, 0x7a0), h)
                    h := addmod(add(mulmod(a0, 0x1b9fe4c6b1d92f264aef56e7a13d4b2b70e65e3b1abaa4b4f81d1b006574a8c9, r), add(mulmod(a1, 0x1ee4fce652caab4b231024a15261f30c46bdb7500bacd82649c45071c1481803, r), add(mulmod(a2, 0x237458960eb8d1a34ea7319aac99b8de9d837b56d8db54c7dde5de8094673f91, r), add(mulmod(a3, 0x00ab9085494e213ee348eebf5b7902dcbdfb672ea84f0701371a38abecd6a55e, r), mulmod(a4, 0x269023cc443e250f44807102a1876db7157ef220072695bece1c8156a9bc38fe, r))))), mulmod(a5, 0x1ad4dc913bd0c7ba47b580b133fa1d21e42ce091e73e8d558c962720a556a07a, r), r)
                    mstore(add(m, 0x7e0), h)
                    mstore(add(m, 0x800), h)
                    h := addmod(add(mulmod(a0, 0x13caf562206db22e905db51a01d22d8d896602248d331883ea51538c61c45dde, r), add(mulmod(a1, 0x280f3694876ced9aa35978068b4ab35c64353942878b85e03173ec33c8c9d156, r), add(mulmod(a2, 0x00ee361f35882572be552706268a0d67c18a76a90ad68cde380cbf307a668bdc, r), add(mulmod(a3, 0x25624b006c28271fed4a8bd46586081db4655385822f363a84d560832497ebc0, r), mulmod(a4, 0x25a29715ff0b1bb11260bd733f18f6d037ab3ed6499c25a594d35362a25c54de, r))))), mulmod(a5, 0x0c6934cdb769eb078cf7b05d4e8a6cbd9487a08351cd7b5517a9bfc4a9c2758c, r), r)
                    mstore(add(m, 0x840), h)
                    mstore(add(m, 0x860), h)
                    h := a0
                    mstore(add(m, 0x8a0), h)
                    mstore(add(m, 0x8c0), h)
                    // a0 is the record of the round t before this one.
                    a0 := add(m, 0x6c0)
                    a1 := add(a0, 0x1680)
                    for { a2 := add(a0, 0x18c0) } lt(a0, a2) { a0 := add(a0, 0x60) } {
                        h := add(mload(add(a0, 0x280)), add(mulmod(mload(add(a0, 0x20)), 0x0ef1cb2a98e71f1b25fdfb89090687c8862e6a560c930d2847c129b2762143a7, r), add(mulmod(mload(add(a0, 0x60)), 0x2af7059dfc198e0e980492115fd669de6858e9aa723d17cb62c043b2ce612e09, r), add(mulmod(mload(add(a0, 0x80)), 0x1df47577cd04c77c8ac9f19af4df17aa206ceb85cb048c0d67ecc3d1e64470a3, r), mulmod(mload(add(a0, 0xc0)), 0x21b5a06b924325638c204d23ae36412555e5e130635ecec149c77c4b4837a30c, r)))))
                        h := addmod(h, add(mulmod(mload(add(a0, 0xe0)), 0x0c6d23a9b3c18dad10d7ddc1ac5ef4dc6a6a3920d2dadd3320361a615e28e61b, r), add(mulmod(mload(add(a0, 0x120)), 0x071ac0347528ff3a1cf815daea4daf474fa434ecdcf804c79793736dfe4724b4, r), add(mulmod(mload(add(a0, 0x140)), 0x2d430937a34b8e05706061bc4c2b3c6e52e33d53f66f88c1f3f17e724fd4897d, r), add(mulmod(mload(add(a0, 0x180)), 0x0aee0cb0c04f6f3154ccc3780f2d33159778d1242b86da2aea6bcfd6826b3231, r), mulmod(mload(add(a0, 0x1a0)), 0x1dd74960937a232f0ef9a54d237768b02b51d09ad00345f87cc43cde82b3f7c6, r))))), r)
                        h := addmod(h, add(mulmod(mload(add(a0, 0x1e0)), 0x048d656ff752317c7daa81dc71cdf2a2ebc7625b83540bf73973e353f8b20e59, r), mulmod(mload(add(a0, 0x200)), 0x124666f80561ed5916f2f070b1bd248c6d53f44d273d956a0c87b917692a4d18, r)), r)
                        mstore(add(a0, 0x240), h)
                        if lt(a0, a1) {
                            let x := mulmod(h, h, r)
                            h := mulmod(mulmod(x, x, r), h, r)
                        }
                        mstore(add(a0, 0x260), h)
                    }
                    // The state after the last partial round.
                    a5 := mload(add(a0, 0x1e0))
                    a4 := mload(add(a0, 0x180))
                    a3 := mload(add(a0, 0x120))
                    a2 := mload(add(a0, 0xc0))
                    a1 := mload(add(a0, 0x60))
                    a0 := mload(a0)
                    mstore(m, a0)
                    mstore(add(m, 0x20), addmod(add(mulmod(a0, 0x2f5334b49d0cad49c3a7ce23fd5389bc4d13b19fd8eeaee5bc423c516a0159be, r), add(mulmod(a1, 0x2b390dfdd6c8dad31ff13c8e827253d50a2fb013b6a09b7df0e49485763afda8, r), add(mulmod(a2, 0x15be31d83c787b116d769f652f283f8b5bb6f16ef829fc6163310728c4810915, r), add(mulmod(a3, 0x21c49c802d640f66f47685a2650a7534d07daf7b8beb53f9c01aa5d1cf92d0e4, r), mulmod(a4, 0x0988415a783eadccb65f57fa865cd1200ca839e9006e852d192e4cf479791440, r))))), mulmod(a5, 0x14eba1cb0893db991adf09e4335799a06431d9511eadb5c3ce0611815b93057d, r), r))
                    mstore(add(m, 0x40), addmod(add(mulmod(a0, 0x1013ae7f22422047ddd836b62f1310d7507f2bef7deb777c6eabeb5e6382e108, r), add(mulmod(a1, 0x089fac403dba3940b613e5bc50c70049d7e2250529add36c25e0e45cdc771553, r), add(mulmod(a2, 0x1edb43e7363ca457b2e92fc3a90e35ea32c6b4e912898946f89a1e855d1623dd, r), add(mulmod(a3, 0x29e29aef971e465c681e13794693977a6d274dd848c1dc447e9be7b0183fd2db, r), mulmod(a4, 0x01edbef9bda3e9a8d1258c7ee884f90a8b3be259a87df6627a0db6a0aecb91b7, r))))), mulmod(a5, 0x0a03aa095a8b13967ccb34638045aa88cd290ff84d1a3602ff535d313f3d38dc, r), r))
                    mstore(add(m, 0x60), addmod(add(mulmod(a0, 0x0c05c4a75e6acfea60e02c1264c92e48826f134cb3ce0da78fc82e7120799930, r), add(mulmod(a1, 0x28661f4977bc2892ec7b0fff41a487e233b258f320d1c380c2fd96fc4e16237c, r), add(mulmod(a2, 0x1533bcaf3e1b49d01865d3cdcae441e7f367e058084e6270b38aad3ea1f7b2e8, r), add(mulmod(a3, 0x2e9c352a95778d3a511b218bcbf9158089af663ac15498c83dc89932e4caa1de, r), mulmod(a4, 0x147577cecba96e4ec0de745d655423724da07f09dbebaa65891c4be435555e33, r))))), mulmod(a5, 0x28034fdcb7dd524533cf87f2f0091fce5540baf4e587b41b8a85cc9503cfc30f, r), r))
                    mstore(add(m, 0x80), addmod(add(mulmod(a0, 0x16bc3616e9fdaa0e8887bc1dced2987588feb500259a91b912b1878f04bb10bc, r), add(mulmod(a1, 0x1ef4a94da29269170d8493d3dfbbb225b7de206b2ca0b1295961e954617645e5, r), add(mulmod(a2, 0x2e04b7260c229550fa69cdf77cb9dec956e0621fdd94622133bab6e4cc6517e8, r), add(mulmod(a3, 0x21e881ae1306767af20d03a6adc2fed19c21f675ac1c02065fdfe79e150759c9, r), mulmod(a4, 0x07b3d26eadbef39fcafee4f0ab00ce9d17dc76bc130fdc91a647a67006ad1a25, r))))), mulmod(a5, 0x13188dfd1203162cc566babbe0931e22f4dd78ea3c4a1cb9d25d0d06d96de75d, r), r))
                    mstore(add(m, 0xa0), addmod(add(mulmod(a0, 0x2e52baa58683f32acdd60524e9dbb9eb5cb9dea191b9839be482318b72f199e3, r), add(mulmod(a1, 0x24b5c5c4627b59feeda351fb4fc0f074ffbdf5690ddca1a0b44c5c1a5a789bb6, r), add(mulmod(a2, 0x2bace607a3674023f1f3587875f1441fb5799e4a5d3e1829b9c297216ecbe213, r), add(mulmod(a3, 0x0899bca578917c4aa85e1a2b21cfe2b5e39fdce08095e08694ca9109201d4e5b, r), mulmod(a4, 0x29e6ebd51094a91167dadfe523fd97751faadef9423f49365b83f9a3172fc2f9, r))))), mulmod(a5, 0x212556774c4f183c622b310ba0010d8a17c5e3f73350704675ce69b3b331480e, r), r))
                    continue
                }
                h := addmod(add(mulmod(a0, 0x124666f80561ed5916f2f070b1bd248c6d53f44d273d956a0c87b917692a4d18, r), add(mulmod(a1, 0x11924f02fd19b09255aaa1cf46ea0518e3d7bfeef47421609491011db0bd0b02, r), add(mulmod(a2, 0x247fa7f022304a1994ff505456c2201ef9b717369498d3ffce446601ed9df845, r), add(mulmod(a3, 0x03fd7b19ef2c861f22f77ff810f54e277bc94eb76c02d79d986be3dcdf051c3f, r), mulmod(a4, 0x18bd41239c3e71579a677443ecffbd555a81eeeea69352a68b67c8563c0c2a06, r))))), mulmod(a5, 0x2d78c3a5d28de9ff35bf0a257635196e5730ca7f40493277078cd75da8b4ebdc, r), r)
                if eq(k, add(m, 0x600)) { break }
                mstore(m, h)
                mstore(add(m, 0x20), addmod(add(mulmod(a0, 0x0a514a5c227f4cec95dfa029e8dd124c34895aa46bb27c0911f3780d5015540a, r), add(mulmod(a1, 0x192e16d17d956b257b85a652eefdf2ee09589eac5be80915775723d2cb1da06d, r), add(mulmod(a2, 0x298ce0c1e3113bb935c7058e7772b533b1aa9db0c0926bdc8917e5605ca3ac10, r), add(mulmod(a3, 0x094cb4e83621afd271e41bc71727f0158ebd612239ac9d698b17fe4be05b7fc8, r), mulmod(a4, 0x03d880395be93c27d649af5fd142e76b33918cb8841d5a28173bd5cf7d328791, r))))), mulmod(a5, 0x28eeae6b5866ad68e443bbaf91680db7d7e2b3037e38fef61b42cbccffceca81, r), r))
                mstore(add(m, 0x40), addmod(add(mulmod(a0, 0x278bb49a7b4e44aea46eb0f882cb692801a6e60fdd5b5c23c63cd65ccce4fe0a, r), add(mulmod(a1, 0x063edec1bed831f506af8db648d6fdea145345887e8bdcff109035a1d9b674d7, r), add(mulmod(a2, 0x1baef1cb5509b526a42061fb53657f99b3232500e855192cbe8c940e068c475f, r), add(mulmod(a3, 0x1324564ac7bdf9e22164e9858d7fa8e368b165eaea3daf4eb67ee59c0df2e5d4, r), mulmod(a4, 0x005761b8c6aecb1a8ca4ea4dfc2c8376064a4a8004ceeda210a55240562ddc13, r))))), mulmod(a5, 0x10c9e283159d58cb4cb2e35fde83a3ba1fdc28002ed9963d2a99f186178a148d, r), r))
                mstore(add(m, 0x60), addmod(add(mulmod(a0, 0x0c399e9f67aa40707a203feefb0b958bbdadcec5ca34901d253d026a2419f6a2, r), add(mulmod(a1, 0x083f0df3f1a0351d0330ec3ff602ca8cc353b7f6e762c7107184cd7b423449f6, r), add(mulmod(a2, 0x1a6764d5943fc4a720b4c0a19fdb8c711984307287a58b9b5f9f5d58212cb263, r), add(mulmod(a3, 0x011a63a26feabf87fa66bde66cc25a922c96382d76c6a7ff48f1537beaed683a, r), mulmod(a4, 0x08ca7b64657c3548f32bef5b63ad24288a41c0b251099ad27f9434307e3e64d4, r))))), mulmod(a5, 0x01998270471e9361955446b0cdb8bea915ec0675f1cd648ddcb04303507a4489, r), r))
                mstore(add(m, 0x80), addmod(add(mulmod(a0, 0x1d6b3d5f6ea369c26f825d2362933eaa31ea35ec0a77c1fbd9e01ca1523e4432, r), add(mulmod(a1, 0x119ef188bb3dd0d32306976c19941e8664be687e7a69692da27da215a6f06d40, r), add(mulmod(a2, 0x2d9e0ab5c06893dfdfd03481381ba86b6e6292df5609d71f2c64b2d9a79f809e, r), add(mulmod(a3, 0x25f16631bf77060f7ea34087c025bf135784319ef08cda2e31419ee0a529e658, r), mulmod(a4, 0x144c7a11da5a7c5dabae3f33fbd03cad86d18bc594c79a497ecb9894edb554f1, r))))), mulmod(a5, 0x0f971162627723f3feadacb28b0c104cb8f74de508752fa8d7c0db2af13de8ee, r), r))
                mstore(add(m, 0xa0), addmod(add(mulmod(a0, 0x24be510095436206dd0abd0b0cbb95c883ab304aa52598b1a69306ec981a688d, r), add(mulmod(a1, 0x211610e2ad4a377426fadf7068b0c1a6c299a164c1c1a603eaed944870d0b9b9, r), add(mulmod(a2, 0x15a67d981041b1f6f09f3f9ebefd864e779d3af08157786ac077505e50ec79fc, r), add(mulmod(a3, 0x049327fa79d28c12a2c82406947f77f06775b0287468b3136877701dbe7c9598, r), mulmod(a4, 0x230940dcc5232658ff9c29697a3fd416d170e8c998f1aa85dea0c42d79f951aa, r))))), mulmod(a5, 0x1b121c049cd1159e289007e0c9da9995cc4bab4c26fb888ec3972a8a2e656964, r), r))
            }
        }
        // forgefmt: disable-end
    }

    /// @notice Poseidon of 5 words, each below the field's modulus.
    function hash(uint256[5] memory inputs) internal pure returns (uint256) {
        uint256 m = workspace();
        assembly ("memory-safe") {
            mcopy(add(m, 0x20), inputs, 0xa0)
        }
        return hashAt(m);
    }
}
