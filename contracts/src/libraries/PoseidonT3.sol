// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

// Written by tests/poseidon.rs, which says how. Not to be edited.

/// @title Poseidon of 2 elements over BN254's scalar field, circom's parameters
/// @dev Width 3, 8 full and 57 partial rounds. In a partial round only the first element u passes the S-box, the rest
/// is linear: so u obeys a linear recurrence over the last 3 values of u and of s = u⁵, with the same coefficients in
/// every round (Cayley and Hamilton), and one constant a round. 3 rounds without S-box before and after lead from the
/// state to 3 values of u and back. The result is exactly the hash in its usual form.
library PoseidonT3 {
    /// @notice Memory for any number of hashes, one after the other, with the constants in it.
    function workspace() internal pure returns (uint256 m) {
        // forgefmt: disable-start
        assembly ("memory-safe") {
            m := mload(0x40)
            mstore(0x40, add(m, 0x1b00))
            // Constants of the full rounds.
            mstore(add(m, 0x60), 0x0ee9a592ba9a9518d05986d656f40c2114c4993c11bb29938d21d47304cd8e6e)
            mstore(add(m, 0x80), 0x00f1445235f2148c5986587169fc1bcd887b08d4d00868df5696fff40956e864)
            mstore(add(m, 0xa0), 0x08dff3487e8ac99e1f29a058d0fa80b930c728730b7ab36ce879f3890ecf73f5)
            mstore(add(m, 0xc0), 0x2f27be690fdaee46c3ce28f7532b13c856c35342c84bda6e20966310fadc01d0)
            mstore(add(m, 0xe0), 0x2b2ae1acf68b7b8d2416bebf3d4f6234b763fe04b8043ee48b8327bebca16cf2)
            mstore(add(m, 0x100), 0x0319d062072bef7ecca5eac06f97d4d55952c175ab6b03eae64b44c7dbf11cfa)
            mstore(add(m, 0x120), 0x28813dcaebaeaa828a376df87af4a63bc8b7bf27ad49c6298ef7b387bf28526d)
            mstore(add(m, 0x140), 0x2727673b2ccbc903f181bf38e1c1d40d2033865200c352bc150928adddf9cb78)
            mstore(add(m, 0x160), 0x234ec45ca27727c2e74abd2b2a1494cd6efbd43e340587d6b8fb9e31e65cc632)
            mstore(add(m, 0x180), 0x15b52534031ae18f7f862cb2cf7cf760ab10a8150a337b1ccd99ff6e8797d428)
            mstore(add(m, 0x1a0), 0x0dc8fad6d9e4b35f5ed9a3d186b79ce38e0e8a8d1b58b132d701d4eecf68d1f6)
            mstore(add(m, 0x1c0), 0x1bcd95ffc211fbca600f705fad3fb567ea4eb378f62e1fec97805518a47e4d9c)
            mstore(add(m, 0x1e0), 0x054efa1f65b0fce283808965275d877b438da23ce5b13e1963798cb1447d25a4)
            mstore(add(m, 0x200), 0x1b162f83d917e93edb3308c29802deb9d8aa690113b2e14864ccf6e18e4165f1)
            mstore(add(m, 0x220), 0x21e5241e12564dd6fd9f1cdd2a0de39eedfefc1466cc568ec5ceb745a0506edc)
            mstore(add(m, 0x240), 0x1cfb5662e8cf5ac9226a80ee17b36abecb73ab5f87e161927b4349e10e4bdf08)
            mstore(add(m, 0x260), 0x0f21177e302a771bbae6d8d1ecb373b62c99af346220ac0129c53f666eb24100)
            mstore(add(m, 0x280), 0x1671522374606992affb0dd7f71b12bec4236aede6290546bcef7e1f515c2320)
            mstore(add(m, 0x2a0), 0x0fa3ec5b9488259c2eb4cf24501bfad9be2ec9e42c5cc8ccd419d2a692cad870)
            mstore(add(m, 0x2c0), 0x193c0e04e0bd298357cb266c1506080ed36edce85c648cc085e8c57b1ab54bba)
            mstore(add(m, 0x2e0), 0x102adf8ef74735a27e9128306dcbc3c99f6f7291cd406578ce14ea2adaba68f8)
            mstore(add(m, 0x300), 0x0fe0af7858e49859e2a54d6f1ad945b1316aa24bfbdd23ae40a6d0cb70c3eab1)
            mstore(add(m, 0x320), 0x216f6717bbc7dedb08536a2220843f4e2da5f1daa9ebdefde8a5ea7344798d22)
            mstore(add(m, 0x340), 0x1da55cc900f0d21f4a3e694391918a1b3c23b2ac773c6b3ef88e2e4228325161)
            // Constants of the partial rounds. Memory may be used: the last of them is zero.
            mstore(add(m, 0x4c0), 0x10520b0ab721cadfe9eff81b016fc34dc76da36c2578937817cb978d069de559)
            mstore(add(m, 0x520), 0x0c2a25667161f95ea5e54c7ba7a37591d384eb8f90ee58b7f151a4ebd14ece2a)
            mstore(add(m, 0x580), 0x0eced134bf4698d06bae11a669378681fd7f414cf775a57fbf910526b2e462b5)
            mstore(add(m, 0x5e0), 0x1224bfcfc1a37262bd58a1eb7858e15f2e55506bd14d5e1f7908fe1800424c07)
            mstore(add(m, 0x640), 0x123d7ec8f1f6059903ed47f87887d333ec05bd944b41e24d190f5ba98b292d3d)
            mstore(add(m, 0x6a0), 0x0d33bcdd29b1d133d66750eb6f90615fcf123f0a7c46472503004f67ea613edb)
            mstore(add(m, 0x700), 0x241bd8b0ec554e03da461f1551de2ee12e80b1e392928ff446b0451cba7e7d41)
            mstore(add(m, 0x760), 0x2513f70af76929da276e1e4473824beadd6f0f35e06856bb7a1c8b223fd06293)
            mstore(add(m, 0x7c0), 0x170ce915ebc989f1f3317aa898b05ed16ae5ac1e8d070af2d9b690fa3a7d3513)
            mstore(add(m, 0x820), 0x11c68a4aa2884bdd12dfaa00c0bef679c64a0cdb3c2fd54f81e7b31681f2f9cd)
            mstore(add(m, 0x880), 0x0f2543c310c8b4016f49961995cd3de20fdccb2ccae929c91a81db57d8fc20bc)
            mstore(add(m, 0x8e0), 0x13f5fe95d66dab0bd56c359385ec4d36aa30abe8cc6d050a8bfd8ab2ed851a0c)
            mstore(add(m, 0x940), 0x2d552014b0adb60a7b6b5f0251a9d1195c9a7abd9495bc7ad07aad67fd0c5344)
            mstore(add(m, 0x9a0), 0x1c01908a7ddbac3aeb22605310c68d647870441f3951653c0ee4067d9f4ad0d7)
            mstore(add(m, 0xa00), 0x039af7a8e7694a01042e98c08419781d426bff3ae21d9b3f7a57c5d1637f5448)
            mstore(add(m, 0xa60), 0x04ff6cb06c08a594ae5c56f6582029d8e013829040b4cec1c990362ffefce0ab)
            mstore(add(m, 0xac0), 0x153acdc1b0028313ff3b614cc6162755462b86f80afcce45725dd261475c1075)
            mstore(add(m, 0xb20), 0x14e0629be3b93ac5995065bdbcfcdabe127ac0851cd5a49e89cb06ce42bd1cc2)
            mstore(add(m, 0xb80), 0x0b6abe69af6a7455581c9027596731038e9957032e4e032eb51c0d919332ba2f)
            mstore(add(m, 0xbe0), 0x10c735b1137216e0711ee4464980afe1e3767b40b6f672ec5c94c8e9e80356cc)
            mstore(add(m, 0xc40), 0x03b770530e2a79762ae2e82f81b4a6829a2b6726716549940fa2be249dab900a)
            mstore(add(m, 0xca0), 0x1ef0cc70d69586ca8372e9e74db85de2763dd7f7b393992a7a0573718e88d5f9)
            mstore(add(m, 0xd00), 0x06001090fa8181037d60c23caa77d8221b8c1dd9c50f2debf7bdfaca3ecf53ae)
            mstore(add(m, 0xd60), 0x1bb15be80469befcf880693120a3d733af4fde5827dafa37b69f685edc75e418)
            mstore(add(m, 0xdc0), 0x04bafc7d08f423e1fb4f826ac2934c2ffb40ac47ce27268fdddd33a7df4a25b6)
            mstore(add(m, 0xe20), 0x1a24970fdbd668659f184706a8a7d16d2b8acd9d5cfbe63a487b2a6f01b6afda)
            mstore(add(m, 0xe80), 0x1408005aaead9e8fe5afb5ae95fc997a4aed8ca3011463fde91ddf25bbeb391b)
            mstore(add(m, 0xee0), 0x037622e932909a7e4efbd1f3d00cbae7d3276bc10bf58a1c6480debddb31ff0a)
            mstore(add(m, 0xf40), 0x2699870b4bb507a3d8eee5b4ae8d84e2379aa7ae382cba411f2176a11356124c)
            mstore(add(m, 0xfa0), 0x2cab44303c70503dc7c5cd3d071e9e0f5c58a46b8678325db97f277189b67562)
            mstore(add(m, 0x1000), 0x1f4771ffad62977f6533c21340ce89900b4475795feae28bc7fe7845a7f8d294)
            mstore(add(m, 0x1060), 0x2a2ca18883f7d54cb9166c25843c4abfcc4b97fc1a5e7f9317d30f1e669681ca)
            mstore(add(m, 0x10c0), 0x0a7843eeb63c06e335c43030ce5e77c7c78ec730a1fbe8eb6b8eaba41214168f)
            mstore(add(m, 0x1120), 0x0d58341456bef9469ef25aeb6908a46bd7b11e4258101c5ea13c152a3b069e6c)
            mstore(add(m, 0x1180), 0x12ca4c73c7ffd2097b24e31cae8fe2946fc78f5b994580fe6391ae594fe67030)
            mstore(add(m, 0x11e0), 0x0aa61d518ffc8f54ade60ad910cd38ce86d619490578ef8bd69dfcc66e5f3297)
            mstore(add(m, 0x1240), 0x064608f4deafe8ad75e05f6f4643bd8fc5f551b0771a3cac3636cf122f6a5c5f)
            mstore(add(m, 0x12a0), 0x05ee09fa265d264c6cd676a6f43e7bccc84ea403b02f101d7ad3a3eae10b241f)
            mstore(add(m, 0x1300), 0x216482096cda8af53817c89605fc53749cb62eafb8f1a42df1127e71b34ce419)
            mstore(add(m, 0x1360), 0x084c3891eba0614a093edc043904c4a4c5c25b6638ad342fce1ea46ca2a786d6)
            mstore(add(m, 0x13c0), 0x19d52f77cf59468e83b54d55cf925158507041eeb1f2a84040c13100f4009401)
            mstore(add(m, 0x1420), 0x13ba12269c7920d6fc6b5205b28b6d505fdce8369bd569d9a85401ba3dc1fdb7)
            mstore(add(m, 0x1480), 0x27d3d9cc8ca73890f8cab36d762104a6caaf5814dc7cc1a1ccf1e2fa351c85a1)
            mstore(add(m, 0x14e0), 0x2b2ce9d6ec9f15e1c1deea06ee822294742c131332ea10f642d0618302ed10c8)
            mstore(add(m, 0x1540), 0x1bb441f3d853f0727413d6453573d81bb4b1f1468b299438acce58ee263f69c8)
            mstore(add(m, 0x15a0), 0x1dbf5c76861efb59ae79e911c9ede0f9df5bba4ef879c06d6590e3f7d16e91cf)
            mstore(add(m, 0x1600), 0x193a787ccb98fcb88a0ff0fa3ce44a62bbbe864bb0d42eb1c01c929e707804ee)
            mstore(add(m, 0x1660), 0x2bff88fe4de77f626aa949f631016e4c7fa95cbe5eb616b862a37bd8a8bb2cce)
            mstore(add(m, 0x16c0), 0x18cbdadd22ed45c306320373d147ebe4c3b6c133670012a88a4273e08debab67)
            mstore(add(m, 0x1720), 0x297ced1aca234b7fab90ce1e36c71013695effe6cfc69ac6303d1beeab15528c)
            mstore(add(m, 0x1780), 0x13f2cbced2af4811a6165bd414055aab4d2af6799ae9e6093b037b7a7da538bf)
            mstore(add(m, 0x17e0), 0x2501798800ea2a9af9b3a9ea306cdbf78dd974d597b93fa65da1e57834d1339d)
            mstore(add(m, 0x1840), 0x140c2cc7e022bd49a223c377d44afce92162f01b26a356e8856c592c39880402)
            mstore(add(m, 0x18a0), 0x1e6b92d0355e67e6d042dda7c3b05531576b80b1667fb63b1d577e7c79939a9d)
            mstore(add(m, 0x1900), 0x0514f8547598c5589e3c5a6ad3d3b6ea850b179bf3f3554fb089636dfe9dc7c7)
            mstore(add(m, 0x1960), 0x0dbb3de359fff86f6c9a4f8d39d5891c3de52ef333126f084dc4448d33418cae)
            mstore(add(m, 0x19c0), 0x13fb49135fb499accae49312ffa81d131e062ef36e2509be1fb3feb0336b9733)
            mstore(add(m, 0x1a20), 0x10f5040751b244da9b84376ddb09c7be769b555184be66a3317a59307629cbc6)
            mstore(add(m, 0x1a80), 0x203dbb338b49d1705264a452a1115218d72cd3c9b0710b0625e38a1657c2768e)
            mstore(add(m, 0x1ae0), 0)
        }
        // forgefmt: disable-end
    }

    /// @notice Poseidon of the 2 words at m + 0x20, each below the field's modulus; overwrites them.
    function hashAt(uint256 m) internal pure returns (uint256 h) {
        // forgefmt: disable-start
        assembly ("memory-safe") {
            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
            mstore(m, 0)
            for { let k := add(m, 0x60) } 1 { k := add(k, 0x60) } {
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
                if eq(k, add(m, 0x180)) {
                    // The first elements before the first partial round.
                    h := mod(add(mulmod(a0, 0x0e8fe5ce212245b3be9e7bd875bad2da0a730b644e0eb78116615544f0917d1f, r), add(mulmod(a1, 0x2ea640722e1181afd677d969440d1289566d225e73a6c8ab3bc063461466ab0c, r), mulmod(a2, 0x05e4e269f87cf0d704ecab30332f4e6d6af95f5b2b0faf43485fd63da203e27f, r))), r)
                    mstore(add(m, 0x360), h)
                    mstore(add(m, 0x380), h)
                    h := mod(add(mulmod(a0, 0x203d1d351372bf15b6465d69d3e12806879a5f36b4ba6dd17dfea07d03f82f26, r), add(mulmod(a1, 0x29b6537218615bcb4b6ad7fe4620063d48e42ce2096b3a1d6e320628bb032c22, r), mulmod(a2, 0x11551257de3d4b5ab51bd377d7bb55c054f51f711623515b1e2a35a958b93a6a, r))), r)
                    mstore(add(m, 0x3c0), h)
                    mstore(add(m, 0x3e0), h)
                    h := a0
                    mstore(add(m, 0x420), h)
                    mstore(add(m, 0x440), h)
                    // a0 is the record of the round t before this one.
                    a0 := add(m, 0x360)
                    a1 := add(a0, 0x1560)
                    for { a2 := add(a0, 0x1680) } lt(a0, a2) { a0 := add(a0, 0x60) } {
                        h := add(mload(add(a0, 0x160)), add(mulmod(mload(add(a0, 0x20)), 0x222384b1af875b9cc33701aeaf21a587f612e66f59d3603b4067e912f65e0e98, r), add(mulmod(mload(add(a0, 0x60)), 0x0d5befe0d730640fcfd1bb7df80262f223d203a893c4cfacc3e8e571053098be, r), add(mulmod(mload(add(a0, 0x80)), 0x2f063609b91aaa68a71aca9b9953164c65be0a81c827c233fe5f2f1bf09a29e2, r), mulmod(mload(add(a0, 0xc0)), 0x1763c79161417803ac02abffe9173ea436add2f719c6652658f7d859b4d7d402, r)))))
                        h := addmod(h, mulmod(mload(add(a0, 0xe0)), 0x109b7f411ba0e4c9b2b70caf5c36a7b194be7c11ad24378bfedb68592ba8118b, r), r)
                        mstore(add(a0, 0x120), h)
                        if lt(a0, a1) {
                            let x := mulmod(h, h, r)
                            h := mulmod(mulmod(x, x, r), h, r)
                        }
                        mstore(add(a0, 0x140), h)
                    }
                    // The state after the last partial round.
                    a2 := mload(add(a0, 0xc0))
                    a1 := mload(add(a0, 0x60))
                    a0 := mload(a0)
                    mstore(m, a0)
                    mstore(add(m, 0x20), mod(add(mulmod(a0, 0x2f973fa3f96e672e7aa46626b1b2bbc2f7a73c3ce0ac7d9e04f80267fe06e4b1, r), add(mulmod(a1, 0x24bf85c42382bcbc104787c7964ed7c8eba71b6643c62c583ca8a1b3328cc890, r), mulmod(a2, 0x159e5d13fac8fb081c0faaeab0cfecd9a9189636a208aca7689e10da39d6bc43, r))), r))
                    mstore(add(m, 0x40), mod(add(mulmod(a0, 0x1f6e9cc14a17902de5b5d6b0c29052e1d6c993800a64491a631aaccd01837c6f, r), add(mulmod(a1, 0x145a3ccb39898d69cea2eaec2cf8269c0d11d602675e09555246375f2efcc6ce, r), mulmod(a2, 0x0a65426ae6ea9ccea8213ebd60dc03a434281bd90caff5d5468e72bfe7e7306a, r))), r))
                    continue
                }
                h := mod(add(mulmod(a0, 0x109b7f411ba0e4c9b2b70caf5c36a7b194be7c11ad24378bfedb68592ba8118b, r), add(mulmod(a1, 0x16ed41e13bb9c0c66ae119424fddbcbc9314dc9fdbdeea55d6c64543dc4903e0, r), mulmod(a2, 0x2b90bba00fca0589f617e7dcbfe82e0df706ab640ceb247b791a93b74e36736d, r))), r)
                if eq(k, add(m, 0x300)) { break }
                mstore(m, h)
                mstore(add(m, 0x20), mod(add(mulmod(a0, 0x2969f27eed31a480b9c36c764379dbca2cc8fdd1415c3dded62940bcde0bd771, r), add(mulmod(a1, 0x2e2419f9ec02ec394c9871c832963dc1b89d743c8c7b964029b2311687b1fe23, r), mulmod(a2, 0x101071f0032379b697315876690f053d148d4e109f5fb065c8aacc55a0f89bfa, r))), r))
                mstore(add(m, 0x40), mod(add(mulmod(a0, 0x143021ec686a3f330d5f9e654638065ce6cd79e28c5b3753326244ee65a1b1a7, r), add(mulmod(a1, 0x176cc029695ad02582a70eff08a6fd99d057e12e58e7d7b6b16cdfabc8ee2911, r), mulmod(a2, 0x19a3fc0a56702bf417ba7fee3802593fa644470307043f7773279cd71d25d5e0, r))), r))
            }
        }
        // forgefmt: disable-end
    }

    /// @notice Poseidon of 2 words, each below the field's modulus.
    function hash(uint256[2] memory inputs) internal pure returns (uint256) {
        uint256 m = workspace();
        assembly ("memory-safe") {
            mcopy(add(m, 0x20), inputs, 0x40)
        }
        return hashAt(m);
    }
}
